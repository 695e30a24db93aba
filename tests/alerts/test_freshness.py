"""An input is fresh by when its rows happened, when they arrived, or when it was last loaded."""

from datetime import UTC, datetime, timedelta

from cs_pipeline.alerts.freshness import stale_inputs
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import read_contract

AS_OF = datetime(2024, 3, 11, 6, tzinfo=UTC)


def test_every_table_of_the_contract_can_be_asked_for(warehouse: Warehouse) -> None:
    tables = read_contract().tables
    needs = dict.fromkeys(tables, timedelta(days=8))
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("create schema if not exists staging")
        for table, source in tables.items():
            columns = ", ".join(f"null::{column.data_type} as {column.name}" for column in source.columns)
            cursor.execute(f"create view staging.stg_{table} as select {columns}")
        stale = stale_inputs(session, needs, AS_OF)
        timed = [
            table
            for table, source in tables.items()
            if any(column.required and column.data_type in ("timestamptz", "date") for column in source.columns)
        ]  # a catalogue without times is fresh once it is there
        assert [each.source for each in stale if not each.is_absent] == timed, "rows that do not say when"
        cursor.execute(
            "insert into cs.loads (source_table, origin, rows_loaded, finished_at) select unnest(%s), 'test', 1, %s",
            [list(tables), AS_OF - timedelta(days=7)],
        )
        assert stale_inputs(session, needs, AS_OF) == []
