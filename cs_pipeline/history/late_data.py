"""Scored weeks whose inputs changed since: which rows arrived after the week was last scored though they are about it.

Rows of append-only tables are new, and the week they are about is known. Rows of the other tables change in the
ordinary course of things (a ticket is resolved), and what they were before is not kept: that one changed says only
that it may matter. What it would come to is told by scoring again as known at another moment (`reproduction`).
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.settings import LateRows
from cs_pipeline.warehouse.bulk import read_frame, read_table
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, read_contract

ALWAYS_INPUTS = ("accounts", "subscriptions")
"""Tables that say who is a customer, and what of; the others are those that metrics come from."""
PLANS = ("renews_on",)
"""Columns with a day that is planned, and says nothing about when the row was changed."""


@dataclass(frozen=True)
class LateData:
    """Rows that are newer than the scores of weeks that they are about, by week and table."""

    arrived: pd.DataFrame
    """Append-only tables: week, source, rows, would_count (when the week is scored again), newest_arrival."""
    changed: pd.DataFrame
    """The other tables: week, source, rows, newest_arrival. Rows that may matter, or may not."""

    @property
    def weeks_to_score_again(self) -> list[date]:
        """Weeks that other scores would come out for, perhaps, because rows are there that were not."""
        return sorted(set(self.arrived.loc[self.arrived["would_count"] > 0, "week"]))


def late_data(warehouse: Warehouse, first: date, last: date, late_rows: LateRows) -> LateData:
    """What changed about the scored weeks `first` to `last`; a query for each table.

    `late_rows` decides what would count when a week is scored again: with `exclude`, rows that reached the
    warehouse after it ended would not.
    """
    with warehouse.arrow() as connection:
        present = _present_inputs(connection)
        weeks = (first.isoformat(), last.isoformat())
        arrived = [
            read_frame(connection, _arrived(table, late_rows), weeks).assign(source=table.name)
            for table in present
            if table.append_only
        ]
        changed = [
            read_frame(connection, _changed(table), weeks).assign(source=table.name)
            for table in present
            if not table.append_only
        ]
    return LateData(
        _together(arrived, ["week", "source", "rows", "would_count", "newest_arrival"]),
        _together(changed, ["week", "source", "rows", "newest_arrival"]),
    )


def by_week_range(rows: pd.DataFrame) -> pd.DataFrame:
    """`arrived` or `changed` by first and last in place of week: weeks in a row that say the same are one row.

    A row that came long after its day is news to every week since, and is then told once.
    """
    told = [name for name in rows.columns if name != "week"]
    ordered = rows.sort_values(["source", "week"])
    weeks = pd.to_datetime(ordered["week"])
    goes_on = (weeks.diff() == WEEK) & (ordered[told] == ordered[told].shift()).all(axis=1)
    runs = ordered.groupby((~goes_on).cumsum().to_numpy())
    folded = runs.first()[told]
    folded.insert(0, "first", runs["week"].first())
    folded.insert(1, "last", runs["week"].last())
    return folded.sort_values(["first", "source"], ignore_index=True)


def _present_inputs(connection: Connection) -> list[SourceTable]:
    inputs = {metric.source for metric in METRICS.values()} | set(ALWAYS_INPUTS)
    there = read_table(connection, "select tablename::text as name from pg_tables where schemaname = 'raw'")["name"]
    present = inputs & set(there.to_pylist())
    return [table for name, table in sorted(read_contract().tables.items()) if name in present]


_WEEKS = """
    weeks as materialized (

        -- Marts are built for all models at once, so the latest scoring knew what any did.
        select
            week,
            max(newest_load_id) as newest_load_id
        from cs.scored_weeks
        where week between $1::date and $2::date
        group by week

    )
"""
_NEWER = "_load_id > (select min(weeks.newest_load_id) from weeks)"


def _arrived(table: SourceTable, late_rows: LateRows) -> str:
    happened = _moment(table, table.event_time)
    would_count = "arrived.known_week <= weeks.week" if late_rows == "exclude" else "true"
    moved_away = f"""
            union all

            -- Weeks from which rows moved away, or were deleted: what is gone is gone from any week scored again.
            select date_trunc('week', day)::date, '-infinity', load_id, sum(rows)
            from cs.touched_days
            where source_table = '{table.name}' and {_NEWER.replace("_load_id", "load_id", 1)} and rows > 0
            group by 1, 3
    """
    return f"""
        with {_WEEKS},

        -- Few groups, so that the join with the weeks is small.
        arrived as (

            select
                date_trunc('week', {happened} at time zone 'UTC')::date as week,
                date_trunc('week', coalesce({LOADED_AT}, {happened}) at time zone 'UTC')::date as known_week,
                _load_id,
                count(*) as rows
            from {table.relation}
            where {_NEWER}
            group by 1, 2, 3
            {moved_away if table.rolled_up else ""}

        )

        select
            weeks.week,
            sum(arrived.rows)::bigint as rows,
            coalesce(sum(arrived.rows) filter (where {would_count}), 0)::bigint as would_count,
            max(loads.finished_at) as newest_arrival
        from weeks
        inner join arrived on arrived.week <= weeks.week and arrived._load_id > weeks.newest_load_id
        left join cs.loads on arrived._load_id = loads.load_id
        group by weeks.week
    """


def _changed(table: SourceTable) -> str:
    """Rows that began before the week ended, and in which nothing is dated later that would explain the change."""
    dates = [
        _moment(table, column.name)
        for column in table.columns
        if column.data_type in ("timestamptz", "date") and column.name not in (LOADED_AT, *PLANS)
    ]
    latest = f"greatest({', '.join([*dates, 'null::timestamptz'])})"
    return f"""
        with {_WEEKS},

        changed as (

            select
                date_trunc('week', coalesce({latest}, '-infinity') at time zone 'UTC') as week,
                _load_id,
                count(*) as rows
            from {table.relation}
            where {_NEWER}
            group by 1, 2

        )

        select
            weeks.week,
            sum(changed.rows)::bigint as rows,
            max(loads.finished_at) as newest_arrival
        from weeks
        inner join changed on changed.week <= weeks.week and changed._load_id > weeks.newest_load_id
        left join cs.loads on changed._load_id = loads.load_id
        group by weeks.week
    """


def _moment(table: SourceTable, column: str) -> str:
    is_day = table.column(column).data_type == "date"
    return f"({column}::timestamp at time zone 'UTC')" if is_day else column


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    return pd.concat(filled, ignore_index=True)[columns].sort_values(["week", "source"], ignore_index=True)
