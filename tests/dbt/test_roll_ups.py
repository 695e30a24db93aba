"""The daily roll-ups are incremental, and say what a build from nothing would say."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.warehouse.load import load_folder
from tests.dbt.conftest import DbtWarehouse, accounts

ROLL_UPS = ("int_user_activity_daily", "int_feature_usage_daily")
START = datetime(2024, 1, 1, tzinfo=UTC)


def event(event_id: str, occurred_at: datetime | str, **values: Any) -> dict[str, Any]:
    values = {"account_id": "a", **values}
    return {"event_id": event_id, "occurred_at": occurred_at, "event_name": "login", **values}


def build(dbt: DbtWarehouse, *arguments: str) -> dict[str, list[Any]]:
    """Build the roll-ups and return their rows."""
    dbt.build("--select", "stg_events", *ROLL_UPS, *arguments)
    return {name: dbt.rows(f"select * from intermediate.{name} order by 1, 2, 3, 4") for name in ROLL_UPS}


def random_load(chance: random.Random, load: int) -> list[dict[str, Any]]:
    """Events of some days, some of them late, some of them corrections of earlier ones on the same day or another."""
    return [
        event(
            f"e{number}",
            START + timedelta(days=number % 40, minutes=number, hours=chance.choice([0, 0, 8, -24])),
            account_id=chance.choice(["a", "b"]),
            user_id=chance.choice([None, "u", "v"]),
            event_name=chance.choice(["login", "page_view", "click", "automation_created"]),
            feature=chance.choice([None, "reports", "export"]),
            page=chance.choice([None, "pricing", "error", "upgrade"]),
            quantity=chance.choice([None, 0, 2, 100]),
            duration_seconds=chance.choice([None, 30]),
            _loaded_at=chance.choice([None, START + timedelta(days=50 + load)]),
        )
        for number in chance.sample(range(400), 60)
    ]


def test_new_loads_give_what_a_full_refresh_gives(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    chance = random.Random(2024)
    grown = build(dbt_warehouse)
    for load in range(4):
        dbt_warehouse.load("events", *random_load(chance, load))
        grown = build(dbt_warehouse)
    assert grown == build(dbt_warehouse, "--full-refresh")
    assert len(grown["int_user_activity_daily"]) > 60
    for name in ROLL_UPS:
        for part in ("account_id = 'a'", "account_id = 'b'") if dbt_warehouse.is_spread else ("true",):
            stored = dbt_warehouse.column(f"select activity_date from intermediate.{name} where {part} order by ctid")
            assert stored == sorted(stored), "rows of a day lie together, whatever number of days there is"


def days(rows: dict[str, list[Any]]) -> dict[str, list[tuple[str, str, float]]]:
    """Account, day and number of each row of both roll-ups."""
    return {
        name: [(row["account_id"], f"{row['activity_date']}", row.get("events", row.get("uses"))) for row in table]
        for name, table in rows.items()
    }


def test_an_event_that_moves_leaves_nothing_where_it_was(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    first = [event(f"e{day}", f"2024-01-0{day} 20:00Z", feature="reports") for day in (2, 3)]
    dbt_warehouse.load("events", *first, event("other", "2024-01-02 10:00Z", account_id="b", feature="reports"))
    build(dbt_warehouse)
    dbt_warehouse.load("events", *({**row, "occurred_at": f"2024-01-0{3 + n} 04:00Z"} for n, row in enumerate(first)))
    moved = [("a", "2024-01-03", 1), ("a", "2024-01-04", 1), ("b", "2024-01-02", 1)]
    assert {name: sorted(rows) for name, rows in days(build(dbt_warehouse)).items()} == dict.fromkeys(ROLL_UPS, moved)
    dbt_warehouse.load("events", event("e2", "2024-01-05 10:00Z", account_id="b", feature="reports"))
    last = [("a", "2024-01-04", 1), ("b", "2024-01-02", 1), ("b", "2024-01-05", 1)]
    assert {name: sorted(rows) for name, rows in days(build(dbt_warehouse)).items()} == dict.fromkeys(ROLL_UPS, last)


SAID_BY_HAND = (
    "insert into cs.touched_days select 'events', nextval(pg_get_serial_sequence('cs.loads', 'load_id')), null, 0"
)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("delete from raw.events where event_id = 'e2'", [("a", "2024-01-03", 1)]),
        ("update raw.events set occurred_at = '2024-01-09' where event_id = 'e2'", None),
        ("update raw.events set quantity = 5 where event_id = 'e2'", [("a", "2024-01-02", 5), ("a", "2024-01-03", 1)]),
        ("truncate raw.events", []),
    ],
)
def test_rows_that_somebody_changes_by_hand_are_noticed(
    dbt_warehouse: DbtWarehouse, change: str, left: list[tuple[str, str, float]] | None
) -> None:
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("events", *(event(f"e{day}", f"2024-01-0{day}", feature="reports") for day in (2, 3)))
    build(dbt_warehouse)
    dbt_warehouse.execute(change)
    if dbt_warehouse.is_spread:  # no trigger sees it there, so docs/deploy.md says what to say
        dbt_warehouse.execute(SAID_BY_HAND)
    expected = [("a", "2024-01-03", 1), ("a", "2024-01-09", 1)] if left is None else left
    assert {name: sorted(rows) for name, rows in days(build(dbt_warehouse)).items()} == dict.fromkeys(
        ROLL_UPS, expected
    )


def test_a_table_that_is_dropped_and_loaded_again_leaves_nothing_of_before(
    dbt_warehouse: DbtWarehouse, tmp_path: Path
) -> None:
    def load(day: str) -> None:
        (tmp_path / "events.csv").write_text(
            f"event_id,account_id,occurred_at,event_name,feature\n{day},a,{day},login,reports\n"
        )
        load_folder(dbt_warehouse.warehouse, tmp_path)

    dbt_warehouse.load("accounts", *accounts("a"))
    load("2024-01-02")
    build(dbt_warehouse)
    dbt_warehouse.execute("drop table raw.events cascade")
    load("2024-01-03")
    assert days(build(dbt_warehouse)) == {name: [("a", "2024-01-03", 1)] for name in ROLL_UPS}


def test_what_no_new_event_touched_is_not_written_again(dbt_warehouse: DbtWarehouse) -> None:
    written = "select account_id, activity_date::text, array_agg(distinct xmin::text) as xmin "
    written += "from intermediate.{} group by 1, 2 order by 1, 2"
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    days = ["2024-01-02 23:59Z", "2024-01-03 00:00Z", "2024-01-04 12:00Z"]
    for account in ("a", "b"):
        dbt_warehouse.load(
            "events", *(event(account + day, day, account_id=account, feature="reports") for day in days)
        )
    build(dbt_warehouse)
    before = {name: dbt_warehouse.rows(written.format(name)) for name in ROLL_UPS}
    dbt_warehouse.load("events", event("late", "2024-01-03 08:00Z", feature="reports"))
    build(dbt_warehouse)
    after = {name: dbt_warehouse.rows(written.format(name)) for name in ROLL_UPS}
    for name in ROLL_UPS:
        pairs = zip(after[name], before[name], strict=True)
        rewritten = [(row["account_id"], row["activity_date"]) for row, old in pairs if row != old]
        assert rewritten == [("a", "2024-01-03")], "neither another day nor another account on that day"


def test_an_event_that_changes_account_or_feature_leaves_nothing_with_the_old_one(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a", "b"))
    dbt_warehouse.load("events", *(event(f"e{n}", "2024-01-02 10:00Z", feature="reports") for n in (1, 2)))
    build(dbt_warehouse)
    dbt_warehouse.load("events", event("e1", "2024-01-02 10:00Z", account_id="b", feature="reports"))
    moved = [("a", "2024-01-02", 1), ("b", "2024-01-02", 1)]
    assert {name: sorted(rows) for name, rows in days(build(dbt_warehouse)).items()} == dict.fromkeys(ROLL_UPS, moved)
    dbt_warehouse.load("events", event("e2", "2024-01-02 10:00Z", feature=None))
    assert days(build(dbt_warehouse))["int_feature_usage_daily"] == [("b", "2024-01-02", 1)]


def test_a_run_without_new_events_writes_nothing(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("events", event("e", "2024-01-02 10:00Z"))
    first = build(dbt_warehouse)
    written = dbt_warehouse.column("select xmin::text from intermediate.int_user_activity_daily")
    assert build(dbt_warehouse) == first
    assert dbt_warehouse.column("select xmin::text from intermediate.int_user_activity_daily") == written


def test_the_index_of_automations_outlives_a_full_refresh(dbt_warehouse: DbtWarehouse) -> None:
    indexes = "select count(*) from pg_index where indpred is not null and indrelid::regclass::text = %s"
    indexes = indexes.replace("%s", "'intermediate.int_user_activity_daily'")
    dbt_warehouse.load("accounts", *accounts("a"))
    for arguments in ((), (), ("--full-refresh",)):
        build(dbt_warehouse, *arguments)
        assert dbt_warehouse.column(indexes) == [1]


def test_alert_rules_see_events_that_were_loaded_since_the_last_build(dbt_warehouse: DbtWarehouse) -> None:
    dbt_warehouse.load("accounts", *accounts("a"))
    dbt_warehouse.load("events", event("e1", START, feature="reports"))
    build(dbt_warehouse, "int_user_activity_to_date", "int_feature_usage_to_date")
    dbt_warehouse.load("events", event("e2", START + timedelta(hours=1), feature="reports", quantity=2))
    activity = "select events from intermediate.int_user_activity_to_date order by events"
    uses = "select uses from intermediate.int_feature_usage_to_date order by uses"
    assert (dbt_warehouse.column(activity), dbt_warehouse.column(uses)) == ([1, 2], [1, 2])
    build(dbt_warehouse)
    assert (dbt_warehouse.column(activity), dbt_warehouse.column(uses)) == ([3], [3])
