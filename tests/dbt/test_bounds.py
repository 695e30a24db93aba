"""Values at the very bounds of the contract: whoever has them is built and scored, and so are all others."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.changes import record_changes
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.warehouse.contract import Column, SourceTable, read_contract
from cs_pipeline.warehouse.failed_dbt_tests import words_of_failed_tests
from cs_pipeline.warehouse.load import load_folder
from tests.dbt.conftest import DbtWarehouse, accounts

WEEK = date(2024, 3, 4)
ROWS_EACH = 3  # so that sums go beyond what one value may be
DAY = "2024-03-06"
EXTREMES = {
    "high": {"number": "highest", "moment": DAY},
    "low": {"number": "lowest", "moment": DAY},
    "early": {"number": "middle", "moment": "0001-01-01"},
    "late": {"number": "middle", "moment": "9999-12-31"},
    "plain": {"number": "middle", "moment": DAY},
}


def number(column: Column, which: str) -> str:
    largest = column.maximum or (2147483647 if column.data_type == "integer" else 1000)
    if which == "highest":
        return f"{largest:.0f}"
    if which == "lowest":
        return f"{column.minimum:.0f}" if column.minimum else ("0" if column.data_type == "integer" else "1e-99")
    return "5"


def value(table: SourceTable, column: Column, who: str, nth: int) -> str:
    extreme = EXTREMES[who]
    if column.name == "account_id":
        return who
    if column.name == "user_id":
        return f"user {who}" if table.name != "users" else f"user {who}{'' if nth == 0 else nth}"
    if column.name in table.key:
        return column.accepted_values[nth] if column.accepted_values else f"{who} {nth}"
    if column.data_type in ("integer", "double precision"):
        return number(column, extreme["number"])
    if column.data_type in ("timestamptz", "date"):
        if column.name in ("created_at", "started_on") and who != "late":
            return "2023-01-01" if extreme["moment"] == DAY else extreme["moment"]
        is_end = column.name in ("churned_at", "deleted_at", "ended_on", "unsubscribed_at")
        return "" if is_end and who != "late" else extreme["moment"]
    if column.accepted_values:
        return column.accepted_values[nth % len(column.accepted_values)]
    if column.data_type == "boolean":
        return "false"
    return {"email": "ann@example.com", "timezone": "Europe/Paris", "country": "FR", None: "login"}[column.format]


def rows(table: SourceTable) -> Iterator[dict[str, str]]:
    for who in EXTREMES:
        for nth in range(1 if table.key == ("account_id",) else ROWS_EACH):
            yield {column.name: value(table, column, who, nth) for column in table.columns}


@pytest.fixture
def edges(dbt_warehouse: DbtWarehouse, tmp_path: Path) -> DbtWarehouse:
    folder = tmp_path / "edges"
    folder.mkdir()
    for table in read_contract().tables.values():
        pq.write_table(pa.Table.from_pylist(list(rows(table))), folder / f"{table.name}.parquet")
    report = load_folder(dbt_warehouse.warehouse, folder)
    kept = {each.table: each.reasons for each in report.tables if each.reasons and each.table != "features"}
    assert not kept, kept
    return dbt_warehouse


def test_whoever_is_at_the_bounds_stops_nobody(edges: DbtWarehouse) -> None:
    edges.build(week_from=str(WEEK), week_to=str(WEEK), present="2024-03-11T07:00:00Z")
    built = set(edges.column("select account_id from marts.fct_account_weeks"))
    assert {"high", "low", "early", "plain"} <= built
    assert edges.column("select distinct seats from marts.dim_accounts where account_id = 'high'") == [2147483647]
    selection = load_selection(None)
    score_weeks(edges.warehouse, selection, [WEEK], Scope())
    record_changes(edges.warehouse, selection, [WEEK], Scope(), "backfill")
    scored = "select account_id from cs.health_scores where is_active and (score is null or score between 0 and 100)"
    assert built <= set(edges.column(scored))


def test_a_test_behind_the_marts_names_itself_its_rows_and_whose_they_are(
    dbt_warehouse: DbtWarehouse, tmp_path: Path
) -> None:
    answer = {"survey": "nps", "responded_at": "2024-03-06", "scale_max": 5}
    dbt_warehouse.load("accounts", *accounts("N1", "N2"))
    dbt_warehouse.load(  # as nobody can through the door
        "survey_responses",
        {**answer, "response_id": "r1", "account_id": "N1", "score": 9},
        {**answer, "response_id": "r2", "account_id": "N2", "score": 4},
    )
    weeks = {"week_from": str(WEEK), "week_to": str(WEEK)}
    assert dbt_warehouse.failures("build", "--exclude-resource-type", "unit_test", "--write-json", **weeks)
    words = words_of_failed_tests(tmp_path / "target", dbt_warehouse.warehouse) or ""
    assert (
        "test fct_account_weeks_answers_lie_between_0_and_10 failed on 1 row: accounts N1; row account_id N1" in words
    )
    assert "N2" not in words


def test_a_canonical_table_without_its_key_stops_the_run_before_anything_rests_on_it(
    dbt_warehouse: DbtWarehouse, tmp_path: Path
) -> None:
    dbt_warehouse.load("accounts", *accounts("N1"))
    dbt_warehouse.load(
        "tickets", {"ticket_id": "t1", "account_id": "N1", "created_at": "2024-03-06", "priority": "low"}
    )
    dbt_warehouse.build("--select", "stg_accounts")
    dbt_warehouse.execute("alter table raw.tickets drop constraint tickets_pkey")
    assert dbt_warehouse.failures("build", "--select", "stg_accounts+1", "--write-json")
    words = words_of_failed_tests(tmp_path / "target", dbt_warehouse.warehouse) or ""
    assert "row table_name tickets, key_without_a_unique_index account_id, ticket_id" in words
    assert dbt_warehouse.column("select to_regclass('marts.dim_accounts')::text") == [None], "it was skipped"
