"""Rank customers by what is at stake, ARR times risk (S3-33; the formula is ours).

Risk is `(100 - score) / 100`; 1 when the customer has asked to cancel; RISK_UNKNOWN when there is no score. ARR is what
the account pays now. So an hour goes where an hour can keep most; renewal dates, alerts and plays are shown, and do not
count. `cs-pipeline alert list` is in the order of severity.
The query is in `work_queue.sql`. Reads only.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.health.explanation import driver_name
from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.reports.alerts.text import rules_to_read, what_of
from cs_pipeline.sql_files import read_sql

_SQL = read_sql(__file__)
RISK_UNKNOWN = 0.5
"""Of an account without a score in the last five weeks: nobody knows, so it counts as neither well nor lost."""
DRIVERS_TOLD = 3
ALERTS_TOLD = 3
Account = Mapping[Hashable, Any]
"""A row of `work_queue_table`."""


def work_queue(
    session: Session,
    now: datetime,
    owner: str | None = None,
    limit: int = 20,
    rules: Mapping[str, Rule] | None = None,
    account_ids: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The first `limit` customers (of the owner with that address, of those ids, or of all), most at stake first.

    Columns: account_id, account_name, owner_email, arr, score, band, severity, risk (0 to 1), at_stake (ARR by risk),
    is_bad_fit, has_cancellation_request, held_back_by (metrics of the score that have not their full points, most
    lacking first), days_to_renewal, plays (titles of those that run), next_action (the earliest step still to be done),
    alerts (the first ALERTS_TOLD that fire, the most severe first, in words), open_alerts (how many fire).
    `rules`: the alert rules, where they are read already. Raises UserError while the marts are not built.
    """
    parameters = {
        "now": now, "today": now.date(), "owner": owner, "limit": limit, "risk_unknown": RISK_UNKNOWN,
        "alerts_told": ALERTS_TOLD, "account_ids": None if account_ids is None else list(account_ids),
    }  # fmt: skip
    found = ask_marts(session, _SQL, parameters, who_needs="The queue needs")
    if rules is None:
        rules = rules_to_read() if found["open_alerts"].any() else {}
    found["alerts"] = [
        [f"{row['severity']}: {what_of(rules.get(row['rule']), row)}" for row in rows] for rows in found["alerts"]
    ]
    return found


def work_queue_table(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of `work_queue` as a table of short texts and figures."""
    return pd.DataFrame(
        {
            "account": found["account_name"].fillna(found["account_id"]),
            "account_id": found["account_id"],
            "owner": found["owner_email"].fillna(""),
            "at_stake": found["at_stake"].astype(float).round(),
            "arr": found["arr"].astype(float).round(),
            "band": [
                "no score" if pd.isna(score) else f"{band} ({score:.0f})"
                for band, score in zip(found["band"], found["score"], strict=True)
            ],
            "why": [_why(*row) for row in zip(*(found[name] for name in _REASONS), strict=True)],
            "renews_in_days": found["days_to_renewal"],
            "alerts": [_alerts(*row) for row in zip(found["alerts"], found["open_alerts"], strict=True)],
            "play": [", ".join(titles) for titles in found["plays"]],
            "next": found["next_action"].fillna(""),
        }
    )


_REASONS = ("has_cancellation_request", "is_bad_fit", "held_back_by")


def _why(has_cancellation_request: bool, is_bad_fit: bool, held_back_by: list[str]) -> str:
    told = [driver_name(metric) for metric in held_back_by[:DRIVERS_TOLD]]
    return ", ".join(
        [*(["asked to cancel"] if has_cancellation_request else []), *(["bad fit"] if is_bad_fit else []), *told]
    )


def _alerts(told: list[str], count: int) -> str:
    return "; ".join([*told, *([f"{count - len(told):,} more"] if count > len(told) else [])])


def account_title(place: int, row: Account) -> str:
    """Place, account, and what is at stake."""
    return f"{place}. {row['account']} ({row['account_id']}): {row['at_stake']:,.0f} at stake"


def account_lines(row: Account) -> Iterator[str]:
    """Figures and owner; then a line each for why, alerts, play and next, where there is anything."""
    yield ", ".join(filter(None, [f"ARR {row['arr']:,.0f}", row["band"], _renewal(row), row["owner"]]))
    for title, words in (("Why", row["why"]), ("Alerts", row["alerts"]), ("Play", row["play"]), ("Next", row["next"])):
        if words:
            yield f"{title}: {words}"


def _renewal(row: Account) -> str:
    days = row["renews_in_days"]
    if days is None or days != days:  # no number: no renewal is known
        return ""
    return f"renews in {days:,.0f} days" if days >= 0 else "renewal overdue"
