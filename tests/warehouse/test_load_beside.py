"""The largest table of a folder is loaded beside the others, and what others see of a load does not change by that."""

import threading
from pathlib import Path

import pytest
from psycopg2.errors import DeadlockDetected
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.load_beside import GivenUp, beside
from cs_pipeline.warehouse.load_report import OnProgress, Progress, TableReport, silent
from cs_pipeline.warehouse.load_turn import turn_to_load
from tests.warehouse.conftest import EVENTS, Query, WriteCsv

LONG = 30.0
"""Seconds after which a wait has failed."""
DONE = TableReport("events", (), 0, 0, 0, 0.0)


@pytest.mark.one_server("a table that two transactions make is made by one after the other")
def test_the_largest_table_is_read_while_others_are(warehouse: Warehouse, company: Path) -> None:
    of_events = threading.Event()
    in_time: list[bool] = []

    def hear(now: Progress) -> None:
        if now.table == "events":
            of_events.set()
        if now.table == "subscriptions":
            in_time.append(of_events.wait(LONG))

    load_folder(warehouse, company, on_progress=hear)
    assert in_time
    assert all(in_time)


def test_load_ids_become_visible_in_ascending_order(warehouse: Warehouse, company: Path, query: Query) -> None:
    seen: list[list[int]] = []
    for _ in range(2):
        load_folder(
            warehouse,
            company,
            on_progress=lambda _: seen.append([load_id for (load_id,) in query("select load_id from cs.loads")]),  # type: ignore[misc]
        )
    loads = sorted(load_id for (load_id,) in query("select load_id from cs.loads"))  # type: ignore[misc]
    assert all(sorted(each) == loads[: len(each)] for each in seen)
    assert query("select source_table from cs.loads order by load_id desc limit 1") == [("events",)]


def test_the_largest_table_is_undone_when_another_breaks_off(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    write_csv("events.csv", [{**row, "event_name": "changed"} for row in EVENTS])
    (company / "subscriptions.csv").write_bytes(
        b"subscription_id,account_id,mrr,started_on\n\xff\xfe\xff,a1,1,2024-01-01\n"
    )
    with pytest.raises(UserError, match=r"subscriptions\.csv"):
        load_folder(warehouse, company)
    assert query("select distinct event_name from raw.events order by 1") == [("click",), ("login",)]
    assert query("select count(*) from cs.loads where source_table = 'events'") == [(1,)]
    assert query("select count(*) from pg_class where relname like '%incoming%'") == [(0,)]


def test_a_long_statement_is_not_waited_for_when_another_table_breaks_off(warehouse: Warehouse) -> None:
    began = threading.Event()

    def sleeps(session: Session, _: OnProgress) -> TableReport:
        with session.cursor() as cursor:
            began.set()
            cursor.execute(f"select pg_sleep({LONG})")
        return DONE

    def breaks_off() -> None:
        with beside(warehouse, sleeps, silent) as table:
            table.start()
            assert began.wait(LONG)
            while not _is_at_work(warehouse):
                pass
            raise UserError("another table broke off")

    with pytest.raises(UserError, match="broke off"):
        breaks_off()
    assert not _is_at_work(warehouse)


def _is_at_work(warehouse: Warehouse) -> bool:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select exists (select from pg_stat_activity where datname = current_database() "
            "and query like 'select pg_sleep(%%' and state = 'active')"
        )
        return cursor.fetchone() == (True,)


def test_what_is_told_of_a_table_that_is_given_up_ends_it(warehouse: Warehouse) -> None:
    ended: list[BaseException] = []
    go_on = threading.Event()

    def tells(_: Session, at: OnProgress) -> TableReport:
        go_on.wait(LONG)
        try:
            at(Progress("events", "checking", 1, 1.0))
        except GivenUp as error:
            ended.append(error)
            raise
        return DONE

    def breaks_off() -> None:
        with beside(warehouse, tells, silent) as table:
            table.start()
            threading.Timer(0.2, go_on.set).start()
            raise UserError("another table broke off")

    with pytest.raises(UserError, match="broke off"):
        breaks_off()
    assert len(ended) == 1


def test_tables_that_wait_for_each_other_end_with_an_error(warehouse: Warehouse) -> None:
    is_locked = threading.Event()

    def locks(session: Session, _: OnProgress) -> TableReport:
        with session.cursor() as cursor:
            turn.take_part(cursor)
            cursor.execute("lock table raw.raw_rejects in access exclusive mode")
            is_locked.set()
        return DONE

    def load_beside_each_other() -> None:
        with beside(warehouse, locks, silent) as table:
            table.start()
            with warehouse.session() as session, session.cursor() as cursor:
                turn.take_part(cursor)
                assert is_locked.wait(LONG)
                cursor.execute("select count(*) from raw.raw_rejects")
            table.end()

    with turn_to_load(warehouse, 0) as turn, pytest.raises(DeadlockDetected):
        load_beside_each_other()


def test_a_load_whose_turn_is_lost_begins_no_other_table(warehouse: Warehouse, query: Query) -> None:
    with turn_to_load(warehouse, 1) as turn:
        query(f"select pg_terminate_backend({turn.holder}, 10000)")
        with (
            warehouse.session() as session,
            session.cursor() as cursor,
            pytest.raises(UserError, match="load the folder again"),
        ):
            turn.take_part(cursor)
