"""Count alerts for charts: what is open by rule and severity, what fired week by week. Reads only."""

from datetime import UTC, datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.reports.alerts.lists import WHICH


def open_by_rule(session: Session) -> pd.DataFrame:
    """Open alerts by rule and severity, the rules with most first; columns rule, severity, alerts."""
    return _frame(
        session,
        f"""
        select
            rule,
            severity,
            count(*)::integer as alerts
        from cs.alerts as alerts
        where {WHICH["open"]}
        group by rule, severity
        order by sum(count(*)) over (partition by rule) desc, rule, severity
        """,
        {},
        ["rule", "severity", "alerts"],
    )


def fired_by_week(session: Session, now: datetime, weeks: int, rule: str | None = None) -> pd.DataFrame:
    """Alerts that fired in the last `weeks` weeks, Monday to Monday in UTC, the present one among them.

    Columns week (its Monday), severity, alerts; weeks without any have no row. Baselines are not counted: they held
    when the rule was first asked.
    """
    monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    return _frame(
        session,
        """
        select
            date_trunc('week', fired_at at time zone 'UTC')::date as week,
            severity,
            count(*)::integer as alerts
        from cs.alerts
        where
            fired_at >= %(since)s::date::timestamp at time zone 'UTC'
            and fired_at <= %(now)s
            and not is_baseline
            and (%(rule)s::text is null or rule = %(rule)s)
        group by 1, 2
        order by 1, 2
        """,
        {"since": monday - timedelta(weeks=weeks - 1), "now": now, "rule": rule},
        ["week", "severity", "alerts"],
    )


def _frame(session: Session, sql: str, values: dict[str, object], columns: list[str]) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(sql, values)
        return pd.DataFrame(cursor.fetchall(), columns=columns)
