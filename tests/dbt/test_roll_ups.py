"""The daily roll-ups are incremental, and say what a build from nothing would say."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.dbt.conftest import DbtWarehouse, accounts

ROLL_UPS = ("int_user_activity_daily", "int_feature_usage_daily")
START = datetime(2024, 1, 1, tzinfo=UTC)


def event(event_id: str, occurred_at: datetime | str, **values: Any) -> dict[str, Any]:
    return {"event_id": event_id, "account_id": "a", "occurred_at": occurred_at, "event_name": "login", **values}


def build(dbt: DbtWarehouse, *arguments: str) -> dict[str, list[Any]]:
    """Build the roll-ups and return their rows."""
    dbt.build("--select", "stg_events", *ROLL_UPS, *arguments)
    return {name: dbt.rows(f"select * from intermediate.{name} order by 1, 2, 3, 4") for name in ROLL_UPS}


def random_load(chance: random.Random, load: int) -> list[dict[str, Any]]:
    """Events of some days, some of them late, some of them corrections of earlier ones on the same day."""
    return [
        event(
            f"e{number}",
            START + timedelta(days=number % 40, minutes=number),
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
    dbt_warehouse.load("accounts", *accounts("a"))
    chance = random.Random(2024)
    grown = build(dbt_warehouse)
    for load in range(4):
        dbt_warehouse.load("events", *random_load(chance, load))
        grown = build(dbt_warehouse)
    assert grown == build(dbt_warehouse, "--full-refresh")
    assert len(grown["int_user_activity_daily"]) > 60


def test_a_day_that_no_new_event_touched_is_not_written_again(dbt_warehouse: DbtWarehouse) -> None:
    written = "select activity_date::text, array_agg(distinct xmin::text) from intermediate.{} group by 1 order by 1"
    dbt_warehouse.load("accounts", *accounts("a"))
    days = ["2024-01-02 23:59Z", "2024-01-03 00:00Z", "2024-01-04 12:00Z"]
    dbt_warehouse.load("events", *(event(day, day, feature="reports") for day in days))
    build(dbt_warehouse)
    before = {name: dbt_warehouse.rows(written.format(name)) for name in ROLL_UPS}
    dbt_warehouse.load("events", event("late", "2024-01-03 08:00Z", feature="reports"))
    build(dbt_warehouse)
    after = {name: dbt_warehouse.rows(written.format(name)) for name in ROLL_UPS}
    for name in ROLL_UPS:
        rewritten = [row["activity_date"] for row, old in zip(after[name], before[name], strict=True) if row != old]
        assert rewritten == ["2024-01-03"]


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
