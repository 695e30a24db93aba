"""Write an account of the work queue in a few lines of text. How the queue is ranked stands in `work_queue`."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

Account = Mapping[Hashable, Any]
"""A row of `queue_for_people`."""


def account_title(place: int, row: Account) -> str:
    """Place, account, and what is at stake."""
    return f"{place}. {row['account']} ({row['account_id']}): {row['at_stake']:,.0f} at stake"


def account_lines(row: Account) -> Iterator[str]:
    """Figures and owner; then a line each for why, play and next, where there is anything."""
    yield ", ".join(filter(None, [f"ARR {row['arr']:,.0f}", row["band"], _renewal(row), row["owner"]]))
    for title, words in (("Why", row["why"]), ("Play", row["play"]), ("Next", row["next"])):
        if words:
            yield f"{title}: {words}"


def _renewal(row: Account) -> str:
    days = row["renews_in_days"]
    if days is None or days != days:  # no number: no renewal is known
        return ""
    return f"renews in {days:,.0f} days" if days >= 0 else "renewal overdue"
