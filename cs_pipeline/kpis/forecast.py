"""Forecast renewals week by week, from what became of earlier ones whose accounts were as likely to leave.

Where no likelihood is stated (`backtest.calibrations`), those of the same band stand in.

A forecast looks at what was so at its week's end, so making it again gives the same rows of `cs.renewal_forecasts`. How
good forecasts were is a KPI (`int_kpis_of_forecasts`); what CSMs expect is in `calls`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cs_pipeline.history.scope import Scope
from cs_pipeline.history.statistics import analyze
from cs_pipeline.history.weeks import execute, lock_week, require_marts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import read_table
from cs_pipeline.warehouse.connection import Warehouse

DAYS_AHEAD = 92
"""How far a forecast looks; `fct_renewals` looks as far."""
LEADS = (30, 60, 90)
"""Days before a renewal at which earlier ones are looked at: one that is 45 days ahead learns from 60 days before."""
PRIOR = 10
"""Renewals of all bands that a band's own are mixed with; a band with few of its own says little for itself."""
COLUMNS = (
    "week, subscription_id, renewal_date, account_id, mrr, tier, severity, leaves, history, history_renewed, "
    "likelihood, low, high, csm_call"
)


@dataclass(frozen=True)
class ForecastSummary:
    """What the forecasts of a week come to; `expected_mrr` is None where no renewal was ever settled."""

    week: date
    renewals: int
    mrr: float
    expected_mrr: float | None
    called: int


def record_forecasts(warehouse: Warehouse, weeks: Sequence[date], scope: Scope) -> list[ForecastSummary]:
    """Replace the forecasts of `weeks` for the accounts in `scope`, all in one statement and transaction.

    Raises UserError when the marts are not built.
    """
    require_marts(warehouse, "fct_renewals", "fct_account_weeks")
    if not weeks:
        return []
    listed = "array[" + ", ".join(f"date '{week}'" for week in sorted(weeks)) + "]::date[]"
    with warehouse.arrow() as connection:
        for week in sorted(weeks):
            lock_week(connection, "renewal_forecasts", week)
        in_scope = scope.condition("renewal_forecasts", "renewal_forecasts.week")
        execute(connection, f"delete from cs.renewal_forecasts where week = any({listed}) and {in_scope}")
        execute(
            connection,
            f"""
            insert into cs.renewal_forecasts ({COLUMNS})
            select * from ({forecasts_of(listed)}) as forecasts
            where {scope.condition("forecasts", "forecasts.week")}
            """,
        )
        analyze(connection, "cs.renewal_forecasts")
        rows = read_table(connection, _SUMMARY.format(weeks=listed)).to_pylist()
    return [ForecastSummary(**row) for row in rows]


def forecasts_of(weeks: str) -> str:
    """A select of the forecasts of `weeks`, an array of Mondays in SQL; the columns are COLUMNS."""
    return read_sql(
        __file__,
        weeks=weeks,
        leads=", ".join(map(str, LEADS)),
        furthest_lead=str(max(LEADS)),
        days_ahead=str(DAYS_AHEAD),
        prior=str(PRIOR),
    )


_SUMMARY = """
select
    weeks.week,
    count(forecasts.week) as renewals,
    coalesce(sum(forecasts.mrr), 0) as mrr,
    sum(forecasts.mrr * forecasts.likelihood) as expected_mrr,
    count(forecasts.csm_call) as called
from unnest({weeks}) as weeks (week)
left join cs.renewal_forecasts as forecasts on weeks.week = forecasts.week
group by weeks.week
order by weeks.week
"""
