"""Renewal windows of weeks, kept in the warehouse."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.history.scope import Scope
from cs_pipeline.history.statistics import analyze
from cs_pipeline.history.weeks import LATE_DAYS, WEEK, Origin, execute, is_live, lock_week, require_marts, was_missed
from cs_pipeline.renewals.windows import windows_of
from cs_pipeline.warehouse.bulk import read_table
from cs_pipeline.warehouse.connection import Warehouse

TARGET = "subscription_id, renewal_date, renewal_window, account_id, week, opens_on, renewal_type, arr, origin"


@dataclass
class WindowSummary:
    """What the renewal windows of a week came to."""

    week: date
    windows: Counter[str] = field(default_factory=Counter)
    """Windows opened, per kind: `180` to `7`, and `overdue`."""
    by_type: Counter[str] = field(default_factory=Counter)
    """The same per renewal type: `auto` and `manual`."""


def record_windows(warehouse: Warehouse, weeks: Sequence[date], scope: Scope, origin: Origin) -> list[WindowSummary]:
    """Replace the renewal windows of `weeks` for the accounts in `scope`, all in one statement and transaction.

    Windows are live in a live run of the newest week, which sees what is signed or ends ahead; older weeks are recorded
    as backfill. Only what is live may become a trigger (`plays.triggers`).
    A live run whose week before was missed records that week's windows too, as far as their day is a few days past at
    most, and as it sees them itself: they are live, and acted on late.
    Raises UserError when the marts are not built.
    """
    require_marts(warehouse, "fct_subscription_terms", "dim_accounts", "fct_account_weeks")
    if not weeks:
        return []
    listed = _listed(weeks)
    with warehouse.arrow() as connection:
        for week in sorted(weeks):
            lock_week(connection, "renewal_windows", week)
        live = [week for week in weeks if is_live(connection, week, origin)]
        in_scope = scope.condition("renewal_windows", "renewal_windows.week")
        execute(connection, f"delete from cs.renewal_windows where week = any({listed}) and {in_scope}")
        execute(
            connection,
            f"""
            insert into cs.renewal_windows ({TARGET})
            select *, case when week = any({_listed(live)}) then 'live' else 'backfill' end
            from ({windows_of(weeks, live)}) as windows
            where {scope.condition("windows", "windows.week")}
            """,
        )
        for week in live:
            if was_missed(connection, week - WEEK):
                _record_late(connection, week - WEEK, scope)
        analyze(connection, "cs.renewal_windows")
        return _summaries(connection, weeks)


def _record_late(connection: Connection, missed: date, scope: Scope) -> None:
    lock_week(connection, "renewal_windows", missed)
    execute(
        connection,
        f"""
        insert into cs.renewal_windows ({TARGET})
        select *, 'live' from ({windows_of([missed], [missed])}) as windows
        where
            opens_on >= date '{missed + 2 * WEEK - timedelta(days=LATE_DAYS)}'
            and {scope.condition("windows", "windows.week")}
        on conflict (subscription_id, renewal_date, renewal_window, account_id) do update
        set origin = 'live', week = excluded.week, opens_on = excluded.opens_on
        """,
    )


def _summaries(connection: Connection, weeks: Sequence[date]) -> list[WindowSummary]:
    rows = read_table(
        connection,
        f"""
        select week, renewal_window, renewal_type, count(*) as windows
        from cs.renewal_windows
        where week = any({_listed(weeks)})
        group by week, renewal_window, renewal_type
        """,
    )
    opened = {week: WindowSummary(week) for week in weeks}
    for row in rows.to_pylist():
        opened[row["week"]].windows[row["renewal_window"]] += row["windows"]
        opened[row["week"]].by_type[row["renewal_type"]] += row["windows"]
    return list(opened.values())


def _listed(weeks: Iterable[date]) -> str:
    return "array[" + ", ".join(f"date '{week}'" for week in weeks) + "]::date[]"
