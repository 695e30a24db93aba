"""Scored weeks whose inputs changed since: which rows arrived after the week was last scored though they are about it.

Rows of append-only tables are new, and the week they are about is known. Rows of the other tables change in the
ordinary course of things (a ticket is resolved), and what they were before is not kept: that one changed says only
that it may matter. What it would come to is told by scoring again as known at another moment (`reproduction`).
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from adbc_driver_manager.dbapi import Connection

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.settings import LateRows
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.bulk import read_frame, read_table
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, read_contract

ALWAYS_INPUTS = ("accounts", "subscriptions")
"""Tables that say who is a customer, and what of; the others are those that metrics come from."""
CHECKED = timedelta(weeks=26)
"""How far back the weekly check and the site look."""
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
            read_frame(connection, _arrived(table), (*weeks, table.name, late_rows == "include")).assign(
                source=table.name
            )
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


def _present_inputs(connection: Connection) -> list[SourceTable]:
    inputs = {metric.source for metric in METRICS.values()} | set(ALWAYS_INPUTS)
    there = read_table(connection, "select tablename::text as name from pg_tables where schemaname = 'raw'")["name"]
    present = inputs & set(there.to_pylist())
    return [table for name, table in sorted(read_contract().tables.items()) if name in present]


def _arrived(table: SourceTable) -> str:
    return read_sql(__file__, "arrived", source_table=table.relation, happened_at=_moment(table, table.event_time))


def _changed(table: SourceTable) -> str:
    dates = [
        _moment(table, column.name)
        for column in table.columns
        if column.data_type in ("timestamptz", "date") and column.name not in (LOADED_AT, *PLANS)
    ]
    latest = f"greatest({', '.join([*dates, 'null::timestamptz'])})"
    return read_sql(__file__, "changed", source_table=table.relation, latest_date=latest)


def _moment(table: SourceTable, column: str) -> str:
    is_day = table.column(column).data_type == "date"
    return f"({column}::timestamp at time zone 'UTC')" if is_day else column


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if not frame.empty]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
    return pd.concat(filled, ignore_index=True)[columns].sort_values(["week", "source"], ignore_index=True)
