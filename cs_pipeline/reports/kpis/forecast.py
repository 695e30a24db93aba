"""Renewals ahead with what is expected of each: by the history of its band, and by its CSM. Reads only."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.words import Money, account_words, count
from cs_pipeline.reports.kpis.words import figure, interval
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.relations import missing_relations
from cs_pipeline.warehouse.rows import read_rows

NEEDS = "Renewal forecasts need"
ACCURACIES = ("forecast_accuracy", "csm_call_accuracy")
Row = dict[str, Any]


@dataclass(frozen=True)
class RenewalsAhead:
    """`rows`, most MRR at stake first: week, subscription_id, renewal_date, account_id, account_name, owner_email,
    tier, mrr, band, score, history (earlier renewals of the band) and history_renewed, likelihood, low, high, csm_call,
    call_reason, called_by, called_at, outcome (by now), mrr_at_stake. The totals are of all, shown or not.
    """

    week: date
    rows: pd.DataFrame
    renewals: int
    mrr: float
    expected_mrr: float | None
    """None where no renewal was ever settled before, so that nothing can be expected."""


def renewals_ahead(
    session: Session, week: date | None = None, owner: str | None = None, limit: int | None = None
) -> RenewalsAhead:
    """The forecasts of a week, by its Monday; without, of the newest, with the calls that were made since.

    Raises UserError while nothing is forecast, or not for that week.
    """
    newest = ask_marts(session, "select max(week) as week from cs.renewal_forecasts", {}, who_needs=NEEDS)
    if is_missing(newest["week"][0]):
        raise UserError("No renewal is forecast yet: the weekly job does it, or `cs-pipeline backfill` for past weeks")
    asked = week or newest["week"][0]
    called_before = None if week is None else datetime.combine(week + timedelta(days=7), time(), UTC)
    values = {"week": asked, "owner": owner, "limit": limit, "called_before": called_before}
    (totals,) = ask_marts(session, _TOTALS, values, who_needs=NEEDS).to_dict("records")
    if not totals["of_week"]:
        raise UserError(f"No renewal is forecast for week {asked}; weeks are named by their Monday")
    rows = ask_marts(session, read_sql(__file__), values, who_needs=NEEDS)
    return RenewalsAhead(asked, rows, totals["renewals"], totals["mrr"], totals["expected_mrr"])


def forecast_by_month(
    session: Session, owner: str = "", type: str = "", at_risk: bool = False, until: date | None = None
) -> list[Row]:
    """What the newest forecast expects of each month: month, renewals, arr, expected, low, high, called, by_csm.

    Of an owner, a renewal type, accounts at risk, and renewals up to a day, where these are given.
    `expected` is None where no renewal was ever settled. `called`: renewals that a CSM said something of; `by_csm`:
    what is expected where their calls count before the forecast. Empty while nothing is forecast.
    """
    values = {"owner": owner, "type": type, "at_risk": at_risk, "until": until}
    return read_rows(session, read_sql(__file__, "by_month"), values)


def accuracy_of_quarter(session: Session) -> dict[str, Row]:
    """How good forecasts and calls were over the last three months that are over: kpi to month, value and n.

    Empty while KPIs are not built, or no renewal was decided.
    """
    if missing_relations(session, "marts.fct_kpis"):
        return {}
    return {row["kpi"]: row for row in read_rows(session, _ACCURACY, {"kpis": list(ACCURACIES)})}


def headline(found: RenewalsAhead, money: Money) -> str:
    """'45 renewals within 92 days of week 2025-09-15: MRR $51,107, of which $43,151 are expected to renew'."""
    of = f"{count(found.renewals, 'renewal')} within 92 days of week {found.week}: MRR {money(found.mrr)}"
    if found.expected_mrr is None:
        return f"{of}; no renewal was settled before, so nothing is known of how likely these are"
    return f"{of}, of which {money(found.expected_mrr)} are expected to renew"


def forecast_table(rows: pd.DataFrame, money: Money) -> pd.DataFrame:
    """Rows of `RenewalsAhead` as a table of short texts."""
    records = rows.to_dict("records")
    return pd.DataFrame(
        {
            "renews_on": [f"{row['renewal_date']}" for row in records],
            "account": [account_words(row["account_name"], row["account_id"]) for row in records],
            "subscription": [row["subscription_id"] for row in records],
            "MRR": [money(row["mrr"]) for row in records],
            "band": [row["band"] or "no score" for row in records],
            "likely": [figure(row["likelihood"], "share", money) for row in records],
            "95_%_interval": [interval(row["low"], row["high"], "share", money) for row in records],
            "like_it_renewed": [_history(row) for row in records],
            "CSM": [_call(row, money) for row in records],
            "became": ["" if row["outcome"] in (None, "open") else row["outcome"] for row in records],
        }
    )


def _history(row: dict[Any, Any]) -> str:
    if is_missing(row["likelihood"]):
        return "no renewal settled before"
    return f"{row['history_renewed']:,} of {row['history']:,}"


def _call(row: dict[Any, Any], money: Money) -> str:
    if is_missing(row["csm_call"]):
        return ""
    by = f" ({row['called_by']})" if row["called_by"] else ""
    return f"{figure(row['csm_call'], 'share', money)}{by}"


_ACCURACY = """
select distinct on (kpi)
    kpi,
    month,
    value,
    n
from marts.fct_kpis
where
    kpi = any(%(kpis)s)
    and window_months = 3
    and segment_kind = 'all'
    and is_complete
    and value is not null
order by kpi, month desc
"""

_TOTALS = """
select
    count(*) as of_week,
    count(*) filter (where is_asked) as renewals,
    coalesce(sum(mrr) filter (where is_asked), 0) as mrr,
    sum(mrr * likelihood) filter (where is_asked) as expected_mrr
from (
    select
        forecasts.mrr,
        forecasts.likelihood,
        %(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s) as is_asked
    from cs.renewal_forecasts as forecasts
    left join marts.dim_accounts as accounts on forecasts.account_id = accounts.account_id
    where forecasts.week = %(week)s
) as listed
"""
