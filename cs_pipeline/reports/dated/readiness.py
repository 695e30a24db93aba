"""Say why a report cannot be sent yet, or not be made of an owner: what it is made of is not there.

One that is only shown is shown as it is.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.first_few import first_few
from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.reports.dated.asking import BUILT_BY, NEEDS
from cs_pipeline.reports.dated.periods import Period

Needs = Literal["scores", "kpis", "feedback", "tickets"]

_ASKED: Mapping[Needs, str] = {
    "scores": "select exists (select 1 from cs.active_scores where week = %(week)s) as is_there",
    "feedback": "select true as is_there",  # routed as it comes in
    "kpis": "select exists (select 1 from marts.fct_kpis where month = %(month)s and is_complete) as is_there",
    "tickets": (
        "select coalesce(max(finished_at) >= %(as_of)s, true) as is_there from cs.loads where source_table = 'tickets'"
    ),
}


def why_not_ready(session: Session, needs: Needs, period: Period) -> str | None:
    """What is missing and what to run; None when the report can be sent. Raises UserError while no marts are built."""
    parameters = {"week": period.last_week, "month": period.last_month, "as_of": period.as_of}
    if ask_marts(session, _ASKED[needs], parameters, who_needs=NEEDS, built_by=BUILT_BY)["is_there"].iloc[0]:
        return None
    if needs == "scores":
        return f"the week of {period.last_week} is not scored: run the job weekly_health for it, then this"
    if needs == "tickets":
        return f"tickets were not loaded since the week ended on {period.as_of:%Y-%m-%d}: load them, then this"
    return (
        f"the KPIs of {period.last_month:%B %Y} are not built from sources loaded since the month ended: load them, "
        "run the job kpis, then this"
    )


def require_owner(session: Session, owner: str, period: Period) -> None:
    """Raise UserError, with the one that may be meant, where nobody of that address owned an account in the period."""
    with session.cursor() as cursor:
        cursor.execute(
            "select distinct lower(owner_email) from marts.fct_account_weeks where week = %s and owner_email <> ''",
            [period.last_week],
        )
        owners = [address for (address,) in cursor.fetchall()]
    if owner.lower() in owners:
        return
    close = get_close_matches(owner.lower(), owners, n=1)
    meant = f"did you mean {close[0]}?" if close else f"owners were: {first_few(sorted(owners), 5) or 'none'}"
    raise UserError(f"{owner} owned no account in the week of {period.last_week}; {meant}")
