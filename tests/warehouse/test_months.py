"""Events are kept as a partition a month, which loads make; one that comes again is looked for near its time."""

from pathlib import Path

import pytest

from cs_pipeline.cli.doctor.database import examine_data
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load import load_folder
from tests.warehouse.conftest import EVENTS, Query, WriteCsv

PARTS = "select relname from pg_inherits inner join pg_class on oid = inhrelid where relkind = 'r' order by 1"
PLACES = "select event_id, account_id, occurred_at::date::text, event_name, feature from raw.events order by 1, 3"
DAYS_LEFT = "select day::text, rows from cs.touched_days where day is not null order by 1"


@pytest.fixture
def loaded(warehouse: Warehouse, company: Path, write_csv: WriteCsv) -> Path:
    """A company's folder, loaded with two events of February 2024 that say their feature."""
    write_csv("events.csv", [{**event, "feature": "reports"} for event in EVENTS])
    load_folder(warehouse, company)
    return company


def test_each_month_has_a_partition_and_times_far_off_share_two(
    warehouse: Warehouse, loaded: Path, write_csv: WriteCsv, query: Query
) -> None:
    times = ["1970-01-01", "1999-12-31", "2024-03-01T00:30+02:00", "2024-12-31T23:59Z", "2025-01-01T00:00Z"]
    times += ["2049-12-31", "2050-01-01", "2099-05-01", "9999-12-31"]
    write_csv("events.csv", [{**EVENTS[0], "event_id": f"t{n}", "occurred_at": time} for n, time in enumerate(times)])
    for rows in (len(times), 0):
        report = load_folder(warehouse, loaded)["events"]
        assert (report.rows_loaded, report.rows_rejected) == (rows, 0)
    assert query(PARTS) == [
        *[("events_2024_02",), ("events_2024_12",), ("events_2025_01",), ("events_2049_12",)],
        *[("events_before_2000",), ("events_from_2050",)],
    ]
    assert query("select count(*) from raw.events_before_2000 union all select count(*) from raw.events_from_2050") == [
        (2,),
        (3,),
    ]


@pytest.mark.parametrize(
    ("account", "time", "days_left"),
    [
        ("a1", "2024-02-01T12:00Z", []),
        ("a1", "2024-02-09", [("2024-02-01", 1)]),
        ("a1", "2024-01-31T23:00Z", [("2024-02-01", 1)]),
        ("a2", "2024-01-19", [("2024-02-01", 1)]),
    ],
)
def test_an_event_that_comes_again_with_another_time_leaves_the_first_and_keeps_what_did_not_come(
    warehouse: Warehouse,
    loaded: Path,
    write_csv: WriteCsv,
    query: Query,
    account: str,
    time: str,
    days_left: list[tuple[str, int]],
) -> None:
    write_csv("events.csv", [{**EVENTS[0], "account_id": account, "occurred_at": time, "event_name": "click"}])
    for rows in (1, 0):
        assert load_folder(warehouse, loaded)["events"].rows_loaded == rows
    assert query(PLACES) == [
        ("e1", account, time[:10], "click", "reports"),
        ("e2", "a2", "2024-02-02", "click", "reports"),
    ]
    assert query(DAYS_LEFT) == days_left


def test_an_id_that_comes_again_months_away_is_another_event_and_doctor_says_so(
    warehouse: Warehouse, loaded: Path, write_csv: WriteCsv, query: Query
) -> None:
    def said() -> list[str]:
        return [found.words for found in examine_data(warehouse, Settings()) if found.subject == "event ids"]

    assert said() == []
    write_csv("events.csv", [{**EVENTS[0], "occurred_at": "2024-05-01"}, {**EVENTS[1], "event_id": "e3"}])
    assert load_folder(warehouse, loaded)["events"].rows_loaded == 2
    assert [(event, day) for event, _, day, *_ in query(PLACES)] == [
        *[("e1", "2024-02-01"), ("e1", "2024-05-01"), ("e2", "2024-02-02"), ("e3", "2024-02-02")],
    ]
    (words,) = said()
    assert words.startswith("1 of the 2 events that were loaded last has the id of an event at another time, as e1")


def test_an_event_that_stands_twice_is_one_again_when_it_comes_near_both(
    warehouse: Warehouse, loaded: Path, write_csv: WriteCsv, query: Query
) -> None:
    write_csv("events.csv", [{**EVENTS[0], "occurred_at": "2024-02-21"}])
    load_folder(warehouse, loaded)
    write_csv("events.csv", [{**EVENTS[0], "occurred_at": "2024-02-11"}])
    load_folder(warehouse, loaded)
    assert [(event, day) for event, _, day, *_ in query(PLACES)] == [("e1", "2024-02-11"), ("e2", "2024-02-02")]
    assert query(DAYS_LEFT) == [("2024-02-01", 1), ("2024-02-21", 1)]


def test_a_month_that_somebody_detached_is_named_and_nothing_is_loaded(warehouse: Warehouse, loaded: Path) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("alter table raw.events detach partition raw.events_2024_02")
    with pytest.raises(UserError, match=r"raw.events_2024_02 is no month of raw.events, .* attach partition"):
        load_folder(warehouse, loaded)
