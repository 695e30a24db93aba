"""Rows of a table that never change are written without a conflict being looked for, and none is lost or doubled."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from tests.warehouse.conftest import EVENTS, Query, WriteCsv

NEW = {**EVENTS[0], "event_id": "e3"}
WRITES = "insert into raw.events (event_id, account_id, occurred_at, event_name, _load_id) values "
HISTORY = 60
"""Events of January, beside which two of February are few."""


@pytest.mark.one_server("what its servers wait for they say themselves")
def test_an_event_that_somebody_writes_while_it_is_loaded_is_there_once_and_says_what_came(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    write_csv("events.csv", [{**NEW, "event_id": "e4"}, NEW])
    with ThreadPoolExecutor(1) as pool:
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(f"{WRITES} ('e3', 'a1', '2024-02-01 10:00Z', 'written', 1)")
            loading = pool.submit(load_folder, warehouse, company)
            waits = (
                "select count(*) from pg_stat_activity "
                "where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'transactionid'"
            )
            while query(waits) == [(0,)]:
                assert not loading.done()
        assert loading.result()["events"].rows_loaded == 2
    assert query("select event_id, event_name from raw.events order by 1")[2:] == [("e3", "login"), ("e4", "login")]


@pytest.mark.one_server("each server keeps the statistics of its part")
def test_a_month_that_was_empty_is_not_read_for_every_row_that_fills_it(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    january = [{**NEW, "event_id": f"j{n}", "occurred_at": "2024-01-20T10:00Z"} for n in range(HISTORY)]
    write_csv("events.csv", [*EVENTS, *january])
    load_folder(warehouse, company)
    query("delete from raw.events_2024_02 returning 1")
    with closing(warehouse.connect()) as session, session.cursor() as cursor:
        session.autocommit = True
        cursor.execute("vacuum (analyze) raw.events_2024_02")
    scans = "select seq_scan from pg_stat_user_tables where relname = 'events_2024_02'"
    before = query(scans)
    write_csv("events.csv", EVENTS)
    assert load_folder(warehouse, company)["events"].rows_loaded == len(EVENTS)
    assert query(scans) == before
