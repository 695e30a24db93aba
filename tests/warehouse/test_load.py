"""Canonical files go into schema `raw`: once, by key, one transaction a table."""

import gzip
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse import csv_batches
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.incoming import begin_load, prepare
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.load_report import Progress
from cs_pipeline.warehouse.rejects import count_rejects, read_rejects
from tests.builders.databases import OF_THIS_DATABASE
from tests.warehouse.conftest import ACCOUNTS, EVENTS, SUBSCRIPTIONS, USERS, Query, WriteCsv


def test_a_folder_becomes_typed_tables(warehouse: Warehouse, company: Path, query: Query) -> None:
    report = load_folder(warehouse, company)
    assert [(t.table, t.rows_read, t.rows_loaded, t.rows_rejected) for t in report.tables] == [
        ("accounts", 2, 2, 0),
        ("users", 1, 1, 0),
        ("subscriptions", 1, 1, 0),
        ("events", 2, 2, 0),
    ]
    assert query("select account_id, created_at, tier from raw.accounts order by 1") == [
        ("a1", datetime(2024, 1, 1, 9, tzinfo=UTC), "pro"),
        ("a2", datetime(2024, 1, 2, tzinfo=UTC), None),
    ]
    assert query("select mrr, started_on, seats from raw.subscriptions") == [(100.5, date(2024, 1, 1), None)]
    assert query("select occurred_at from raw.events where event_id = 'e2'") == [(datetime(2024, 2, 2, 8, tzinfo=UTC),)]


def test_optional_tables_that_no_file_brings_stay_absent(warehouse: Warehouse, company: Path, query: Query) -> None:
    load_folder(warehouse, company)
    assert query("select to_regclass('raw.tickets')") == [(None,)]


def test_loading_twice_changes_nothing_not_even_the_load_id(warehouse: Warehouse, company: Path, query: Query) -> None:
    load_folder(warehouse, company)
    before = query("select events::text, xmin::text from raw.events order by 1")
    report = load_folder(warehouse, company)
    assert (report.rows_loaded, report.rows_unchanged, report.rows_rejected) == (0, 6, 0)
    assert query("select events::text, xmin::text from raw.events order by 1") == before


def test_only_changed_rows_get_the_new_load_id(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    write_csv("accounts.csv", [ACCOUNTS[0], {**ACCOUNTS[1], "account_name": "Bolt Ltd"}])
    report = load_folder(warehouse, company)
    assert (report["accounts"].rows_loaded, report["accounts"].rows_unchanged) == (1, 1)
    assert query(
        "select account_name, _load_id = (select max(load_id) from cs.loads where source_table = 'accounts') "
        "from raw.accounts order by account_id"
    ) == [("Acme", False), ("Bolt Ltd", True)]


def test_load_ids_ascend_and_their_record_adds_up(warehouse: Warehouse, company: Path, query: Query) -> None:
    load_folder(warehouse, company)
    load_folder(warehouse, company)
    records = query(
        "select load_id, origin, rows_read, rows_loaded, rows_rejected, finished_at >= started_at "
        "from cs.loads where source_table = 'events' order by 1"
    )
    origin = str((company / "events.csv").resolve())
    assert [record[1:] for record in records] == [(origin, 2, 2, 0, True), (origin, 2, 0, 0, True)]


def test_a_later_load_may_bring_some_tables_and_some_columns_only(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    for name in ("users", "subscriptions", "events"):
        (company / f"{name}.csv").unlink()
    write_csv("accounts.csv", [{"account_id": "a1", "account_name": "Acme Inc", "created_at": "2024-01-01"}])
    load_folder(warehouse, company)
    assert query("select account_name, tier from raw.accounts where account_id = 'a1'") == [("Acme Inc", "pro")]
    assert query("select count(*) from raw.events") == [(2,)]


def test_loaded_at_keeps_the_earliest_arrival(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    for arrival in ("2024-03-05", "2024-03-09", "2024-03-02"):
        write_csv("events.csv", [{**EVENTS[0], "_loaded_at": arrival}])
        load_folder(warehouse, company)
    assert query("select _loaded_at from raw.events") == [(datetime(2024, 3, 2, tzinfo=UTC),)]
    write_csv("events.csv", [{**EVENTS[0], "_loaded_at": "2024-03-30"}])
    assert load_folder(warehouse, company)["events"].rows_unchanged == 1


def test_parts_are_one_table(warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query) -> None:
    (company / "events.csv").unlink()
    write_csv("events_001.csv", EVENTS[:1])
    compressed = write_csv("events_002.csv", EVENTS[1:])
    with gzip.open(company / "events_002.csv.gz", "wb") as stream:
        stream.write(compressed.read_bytes())
    compressed.unlink()
    (company / "users.csv").unlink()
    (company / "users").mkdir()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in USERS]), company / "users" / "whatever.parquet")
    report = load_folder(warehouse, company)
    assert report["events"].rows_loaded == 2
    assert query("select count(distinct _load_id) from raw.events") == [(2,)]
    assert query("select origin, rows_loaded from cs.loads where source_table = 'events' order by 1") == [
        (str((company / "events_001.csv").resolve()), 1),
        (str((company / "events_002.csv.gz").resolve()), 1),
    ]
    assert query("select email from raw.users") == [("ann@acme.com",)]


def test_parquet_columns_may_have_types_of_their_own(warehouse: Warehouse, company: Path, query: Query) -> None:
    (company / "subscriptions.csv").unlink()
    pq.write_table(
        pa.table(
            {
                "subscription_id": pa.array(["s1", "s2"]).dictionary_encode(),
                "account_id": ["a1", "a2"],
                "seats": pa.array([25.0, None]),
                "mrr": pa.array([100, 0], pa.int32()),
                "started_on": pa.array([date(2024, 1, 1), date(2024, 1, 2)]).cast(pa.timestamp("us")),
                "renews_on": pa.array([date(2025, 1, 1), None]),
                "auto_renew": [True, None],
                "_loaded_at": pa.array([datetime(2024, 1, 1, 12, tzinfo=UTC), None]).cast(
                    pa.timestamp("ns", "Asia/Kolkata")
                ),
            }
        ),
        company / "subscriptions.parquet",
    )
    report = load_folder(warehouse, company)
    assert report["subscriptions"].reasons == ()
    assert query("select seats, mrr, started_on, renews_on, auto_renew, _loaded_at from raw.subscriptions") == [
        (25, 100.0, date(2024, 1, 1), date(2025, 1, 1), True, datetime(2024, 1, 1, 12, tzinfo=UTC)),
        (None, 0.0, date(2024, 1, 2), None, None, None),
    ]


def test_rows_that_break_the_contract_are_put_aside_whole_and_the_rest_goes_on(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    unknown = {**EVENTS[0], "event_id": "e3", "account_id": "nobody"}
    write_csv("events.csv", [*EVENTS, unknown, {**EVENTS[0], "event_id": "e4", "occurred_at": "03-04-2024"}])
    report = load_folder(warehouse, company)["events"]
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (4, 2, 2)
    first, second = read_rejects(warehouse, "events")
    assert (first.origin, first.line, first.column, first.reason) == (
        str((company / "events.csv").resolve()),
        4,
        "account_id",
        "is not in accounts",
    )
    assert first.row == unknown
    assert (second.line, second.column) == (5, "occurred_at")
    assert "ISO 8601" in second.reason
    assert [(count.rows, count.line) for count in report.reasons] == [(1, 4), (1, 5)]


def test_rows_of_a_rejected_account_are_rejected_too_and_counted_as_such(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv
) -> None:
    write_csv("accounts.csv", [ACCOUNTS[0], {**ACCOUNTS[1], "created_at": "yesterday"}])
    write_csv("events.csv", [*EVENTS, {**EVENTS[0], "event_id": "e3", "account_id": "nobody"}])
    report = load_folder(warehouse, company)
    assert [(count.table, count.column, count.rows, count.reason) for count in count_rejects(warehouse)][1:] == [
        ("events", "account_id", 1, "is not in accounts"),
        ("events", "account_id", 1, "is not in accounts: its row was put aside there"),
    ]
    assert (report.rows_rejected, report.rows_fallen) == (3, 1)


def test_a_decoration_that_cannot_be_read_costs_the_value_and_not_the_customer(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    write_csv(
        "accounts.csv",
        [{**ACCOUNTS[0], "timezone": "(GMT+01:00) Berlin"}, {**ACCOUNTS[1], "timezone": " europe/paris"}],
    )
    report = load_folder(warehouse, company)
    assert (report["accounts"].rows_loaded, report.rows_rejected, report.values_put_aside) == (2, 0, 1)
    assert query("select account_id, timezone from raw.accounts order by 1") == [("a1", None), ("a2", "Europe/Paris")]
    again = load_folder(warehouse, company)
    assert (again.rows_loaded, again.values_put_aside) == (0, 1)
    assert query("select sum(rows_rejected) from cs.loads") == [(0,)]


@pytest.mark.parametrize("is_first_load", [True, False])
def test_of_rows_with_the_same_key_the_first_sound_one_stays(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query, is_first_load: bool
) -> None:
    if not is_first_load:
        load_folder(warehouse, company)
    write_csv(
        "events.csv",
        [
            {**EVENTS[0], "event_name": ""},
            {**EVENTS[0], "event_name": "first"},
            {**EVENTS[0], "event_name": "second"},
            EVENTS[1],
        ],
    )
    for _ in range(2):
        assert load_folder(warehouse, company)["events"].rows_rejected == 2
    assert query("select event_name from raw.events where event_id = 'e1'") == [("first",)]
    assert [(reject.line, reject.reason) for reject in read_rejects(warehouse)] == [
        (2, "is empty"),
        (4, "repeats the key of an earlier row"),
    ]


def test_a_few_rejects_are_shown_of_every_reason_however_frequent_one_is(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv
) -> None:
    frequent = [{**EVENTS[0], "event_id": f"f{number}", "event_name": ""} for number in range(9)]
    write_csv("events.csv", [*frequent, {**EVENTS[0], "event_id": "rare", "account_id": "nobody"}])
    load_folder(warehouse, company)
    shown = [reject.row["event_id"] for reject in read_rejects(warehouse, limit=3)]
    assert shown == ["f0", "f1", "rare"]


def test_a_key_of_several_columns_repeats_only_as_a_whole(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv
) -> None:
    role = {"account_id": "a1", "user_id": "u1", "role": "champion"}
    write_csv("contact_roles.csv", [role, {**role, "role": "power_user"}, role])
    report = load_folder(warehouse, company)["contact_roles"]
    assert (report.rows_loaded, report.rows_rejected) == (2, 1)


def test_rejects_of_a_file_are_replaced_when_it_is_loaded_again(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv
) -> None:
    write_csv("events.csv", [*EVENTS, {**EVENTS[0], "event_id": "e3", "account_id": "nobody"}])
    load_folder(warehouse, company)
    load_folder(warehouse, company)
    assert sum(count.rows for count in count_rejects(warehouse)) == 1
    write_csv("events.csv", EVENTS)
    load_folder(warehouse, company)
    assert count_rejects(warehouse) == []


def test_ragged_rows_are_put_aside_with_what_they_hold(warehouse: Warehouse, company: Path) -> None:
    with (company / "events.csv").open("a") as stream:
        stream.write("e3,a1\n\ne4,a1,2024-02-01,login,more,and more\n")
    report = load_folder(warehouse, company)["events"]
    assert (report.rows_read, report.rows_loaded, report.rows_rejected) == (4, 2, 2)
    short, long = read_rejects(warehouse, "events")
    assert (short.line, short.column, short.reason) == (4, None, "has 2 fields where the header has 4")
    assert short.row == {"event_id": "e3", "account_id": "a1"}
    assert (long.line, long.row["(beyond the header)"]) == (6, ["more", "and more"])


def test_a_file_that_breaks_off_leaves_its_table_as_it_was(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_folder(warehouse, company)
    monkeypatch.setattr(csv_batches, "BLOCK_BYTES", 1024)  # so that the break lies behind the first block
    write_csv("accounts.csv", [ACCOUNTS[0], {**ACCOUNTS[1], "account_name": "Bolt Ltd"}])
    write_csv("events.csv", [{**EVENTS[0], "event_name": "changed"}])
    (company / "events.csv").rename(company / "events_1.csv")
    whole = gzip.compress(b"event_id,account_id,occurred_at,event_name\n" + b"e9,a1,2024-02-01,login\n" * 9_999)
    (company / "events_2.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cut short"):
        load_folder(warehouse, company)
    assert query("select event_name from raw.events order by event_id") == [("login",), ("click",)]
    assert query("select count(*) from cs.loads where source_table = 'events'") == [(1,)]
    assert query("select account_name from raw.accounts where account_id = 'a2'") == [("Bolt Ltd",)]
    assert query("select count(*) from pg_class where relname like '%incoming%'") == [(0,)]


def test_a_load_waits_for_another_so_that_load_ids_become_visible_in_order(
    warehouse: Warehouse, company: Path, query: Query
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with warehouse.session() as session, session.cursor() as cursor:
            prepare(cursor)
            earlier = begin_load(cursor, "events", "elsewhere")
            waiting = pool.submit(load_folder, warehouse, company)
            waits = f"select count(*) from pg_locks where locktype = 'advisory' and not granted and {OF_THIS_DATABASE}"
            while query(waits) == [(0,)]:
                assert not waiting.done()
        assert waiting.result().rows_loaded == 6
    assert query(f"select min(load_id) > {earlier} from cs.loads where origin <> 'elsewhere'") == [(True,)]


def test_two_loads_at_once_do_not_collide(warehouse: Warehouse, company: Path, tmp_path: Path, query: Query) -> None:
    twin = shutil.copytree(company, tmp_path / "twin")
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda folder: load_folder(warehouse, folder), [company, twin]))
    assert sum(report["events"].rows_loaded for report in reports) == 2
    assert query("select count(*) from raw.events") == [(2,)]


MOVED = {**EVENTS[0], "account_id": "a2"}


def test_a_row_that_comes_again_as_another_accounts_leaves_the_first_and_keeps_what_did_not_come(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    write_csv("events.csv", [{**row, "feature": "reports", "_loaded_at": "2024-02-03"} for row in EVENTS])
    load_folder(warehouse, company)
    first = load_folder(warehouse, company)["events"]
    write_csv("events.csv", [MOVED, {**EVENTS[1], "event_name": "login"}])
    report = load_folder(warehouse, company)["events"]
    assert (first.rows_loaded, report.rows_loaded, report.rows_rejected) == (0, 2, 0)
    columns = "event_id, account_id, event_name, feature, _loaded_at::date::text"
    assert query(f"select {columns} from raw.events order by event_id") == [
        ("e1", "a2", "login", "reports", "2024-02-03"),
        ("e2", "a2", "login", "reports", "2024-02-03"),
    ]
    assert query(
        "select distinct _load_id = (select max(load_id) from cs.loads where source_table = 'events') from raw.events"
    ) == [(True,)]
    assert query(
        "select day::text, rows, load_id in (select load_id from cs.loads) from cs.touched_days where day is not null"
    ) == [("2024-02-01", 1, True)]
    assert load_folder(warehouse, company)["events"].rows_loaded == 0


def test_a_row_that_moves_to_another_account_and_another_day_is_told_of_once(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    write_csv("events.csv", [{**MOVED, "occurred_at": "2024-02-09"}, EVENTS[1]])
    assert load_folder(warehouse, company)["events"].rows_loaded == 1
    assert query("select account_id, occurred_at::date::text from raw.events where event_id = 'e1'") == [
        ("a2", "2024-02-09")
    ]
    assert query("select day::text, rows from cs.touched_days where day is not null") == [("2024-02-01", 1)]


def test_a_key_that_somebody_put_into_two_accounts_is_in_one_again_when_it_comes_again(
    warehouse: Warehouse, company: Path, query: Query
) -> None:
    load_folder(warehouse, company)
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "insert into raw.events (event_id, account_id, occurred_at, event_name, _load_id) "
            "select event_id, 'a2', occurred_at, event_name, _load_id from raw.events where event_id = 'e1'"
        )
    assert load_folder(warehouse, company)["events"].rows_loaded <= 1
    assert query("select event_id, account_id from raw.events order by event_id") == [("e1", "a1"), ("e2", "a2")]


def test_a_key_that_repeats_in_another_account_is_put_aside_in_the_first_load_and_in_later_ones(
    warehouse: Warehouse, company: Path, write_csv: WriteCsv, query: Query
) -> None:
    write_csv("events.csv", [*EVENTS, MOVED])
    for _ in range(2):
        assert load_folder(warehouse, company)["events"].rows_rejected == 1
        assert query("select account_id from raw.events where event_id = 'e1'") == [("a1",)]


def test_two_loads_at_once_leave_a_key_in_one_account(
    warehouse: Warehouse, company: Path, tmp_path: Path, write_csv: WriteCsv, query: Query
) -> None:
    load_folder(warehouse, company)
    new = {**EVENTS[0], "event_id": "e3"}
    for name, account in (("one", "a1"), ("other", "a2")):
        write_csv("events.csv", [{**new, "account_id": account}])
        shutil.copytree(company, tmp_path / name)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: load_folder(warehouse, tmp_path / name), ["one", "other"]))
    assert query("select count(*) from raw.events where event_id = 'e3'") == [(1,)]


def test_progress_tells_table_stage_and_share(warehouse: Warehouse, company: Path) -> None:
    heard: list[Progress] = []
    load_folder(warehouse, company, on_progress=heard.append)
    of_events = [progress for progress in heard if progress.table == "events"]
    assert [progress.stage for progress in of_events] == ["reading", "checking", "writing", "done"]
    assert of_events[-1].rows == 2
    assert all(0 <= progress.fraction <= 1 for progress in heard)


def test_what_is_no_data_is_left_alone(warehouse: Warehouse, company: Path) -> None:
    (company / "README.md").write_text("about these files")
    (company / ".hidden.csv").write_text("x")
    (company / "_SUCCESS").touch()
    (company / "notes").mkdir()
    assert len(load_folder(warehouse, company).tables) == 4


def test_one_subscription_is_enough_for_a_company(warehouse: Warehouse, company: Path, write_csv: WriteCsv) -> None:
    write_csv("subscriptions.csv", SUBSCRIPTIONS)
    assert load_folder(warehouse, company)["subscriptions"].rows_loaded == 1


def test_canonical_files_may_have_semicolons_when_somebody_says_so(
    warehouse: Warehouse, company: Path, query: Query
) -> None:
    for path in company.iterdir():
        path.write_text(path.read_text().replace(",", ";"))
    (company / "events.csv").rename(company / "events_1.csv")
    report = load_folder(warehouse, company, delimiter=";")
    assert report.rows_rejected == 0
    assert query("select count(*) from raw.events") == [(len(EVENTS),)]
