"""Rules that scores, changes and windows of a week share: one writer at a time, and whether plays may start."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.errors import UserError
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.history.slices import Slice
from cs_pipeline.warehouse.bulk import read_table
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.relations import missing_relations

Origin = Literal["live", "backfill"]

WEEK = timedelta(days=7)
LATE_DAYS = 5
"""Days after which nobody is told any more that a window opened: steps of plays are stale by then."""


def weeks_between(first: date, last: date) -> list[date]:
    """Every week from `first` to `last`, both included. Raises UserError unless both are Mondays, in order."""
    for name, day in (("first", first), ("last", last)):
        if day.weekday() != 0:
            raise UserError(f"The {name} week is {day}, a {day:%A}; weeks are named by the Monday they start")
    if last < first:
        raise UserError(f"The last week ({last}) lies before the first ({first})")
    return [first + WEEK * number for number in range((last - first) // WEEK + 1)]


def require_marts(warehouse: Warehouse, *tables: str) -> None:
    """Raise UserError when one of `tables` of the marts is not there, or lacks metrics that were added since."""
    with warehouse.session() as session, session.cursor() as cursor:
        if missing := missing_relations(session, *(f"marts.{table}" for table in tables)):
            raise UserError(
                f"{missing[0]} is not there: build the marts first, with the weekly job or `cs-pipeline backfill`"
            )
        cursor.execute(
            """
            select metric
            from unnest(%s) as metric
            where
                to_regclass('marts.fct_account_weeks') is not null
                and not exists (
                    select 1
                    from pg_attribute
                    where attrelid = to_regclass('marts.fct_account_weeks') and attname = metric and not attisdropped
                )
            """,
            [list(METRICS)],
        )
        if missing := [name for (name,) in cursor.fetchall()]:
            raise UserError(
                f"marts.fct_account_weeks was built by an older version, and has no {', '.join(missing)}: "
                "run the weekly job or `cs-pipeline backfill`, which add what is missing"
            )


def execute(connection: Connection, sql: str, parameters: Sequence[object] = ()) -> None:
    """Run a statement (placeholders $1, $2, …)."""
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)


def lock_week(connection: Connection, table: str, week: date, part: Slice | None = None) -> None:
    """Let no other run write this week of `table`, or this slice of its accounts, until the transaction ends.

    Slices that share no account do not wait for each other, and whoever writes the whole week waits for all of them.
    """
    lock = "select pg_advisory_xact_lock{}(hashtext('cs.' || $1::text), $2::integer)::text"
    read_table(connection, lock.format("_shared" if part else ""), (table, week.toordinal()))
    for piece in part.pieces if part else ():  # in ascending order, so that two runs never deadlock
        read_table(connection, lock.format(""), (f"{table} {piece}", week.toordinal()))


def is_live(connection: Connection, week: date, origin: Origin) -> bool:
    """True when what `week` brings may start plays: a live run of the newest week that has scores, or a newer one.

    Weeks before it are history, whoever asks (design: backfills contact nobody).
    """
    if origin != "live":
        return False
    newest = read_table(connection, "select max(week) as week from cs.health_scores")["week"][0].as_py()
    return newest is None or week >= newest


def was_missed(connection: Connection, week: date) -> bool:
    """True when no live run ever saw `week`, though one saw a week before it: nobody heard of what it brought.

    A history that is backfilled before the first live run was not missed.
    """
    newest = read_table(
        connection,
        """
        select
            greatest(
                (select max(week) from cs.score_changes where origin = 'live' and week <= $1::date),
                (select max(week) from cs.renewal_windows where origin = 'live' and week <= $1::date),
                (
                    select max(week) from cs.triggers
                    where
                        kind in ('score_change', 'renewal_window', 'segment_entry', 'cadence')
                        and week <= $1::date
                )
            ) as week
        """,
        (week.isoformat(),),
    )["week"][0].as_py()
    return newest is not None and newest < week
