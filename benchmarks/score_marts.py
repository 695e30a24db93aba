"""Made-up marts for measuring scores and changes through PostgreSQL without building anything before."""

from datetime import date

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.warehouse.connection import Warehouse

FIRST = date(2024, 1, 1)
LIMITS = {"ratio": 1.2, "flag": 1, "level": 2, "ten": 10, "days": 200, "hours": 60}
SHARE_KNOWN = 0.9
SHARE_CHANGING = 0.3
"""Share of an account's metrics that are another in the next week: most accounts change, as in life."""


def create_marts(warehouse: Warehouse, accounts: int, weeks: int) -> None:
    """`marts.fct_account_weeks` with a row for each account and week, and every metric at random."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create schema if not exists marts")
        cursor.execute("drop table if exists marts.fct_account_weeks")
        cursor.execute(
            f"""
            create table marts.fct_account_weeks as
            select
                'account-' || account as account_id,
                date '{FIRST}' + 7 * week as week,
                date '{FIRST}' as cohort_month,
                case account % 3 when 0 then 'starter' when 1 then 'pro' else 'enterprise' end as tier,
                'retention' as lifecycle_stage,
                'growth' as lifecycle_stage_five,
                null::text as parent_account_id,
                {", ".join(_value(name) for name in METRICS)}
            from generate_series(1, {accounts}) as accounts (account)
            cross join generate_series(0, {weeks - 1}) as weeks (week)
            """
        )
        cursor.execute("create unique index on marts.fct_account_weeks (week, account_id)")
        cursor.execute("create index on marts.fct_account_weeks (account_id, week)")
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("analyze marts.fct_account_weeks")


def _value(name: str) -> str:
    """A number that an account keeps from week to week, but for the share that changes."""
    unit = METRICS[name].unit
    limit = LIMITS.get(unit, 50)
    number = f"((hashtext('{name}' || account || case when random() < {SHARE_CHANGING} then week::text else '' end)"
    number += f" & 1023) / 1023.0) * {limit}"
    if unit in ("flag", "level", "count"):
        number = f"round({number})"
    return f"case when random() < {SHARE_KNOWN} then ({number})::double precision end as {name}"
