"""No statement of the weekly record loops over all accounts for each account, also while no table has statistics.

Each statement is explained before it runs, in the very transaction: what PostgreSQL did, node by node, and the rows
that a node yielded or threw away over all its loops. In a plan that fits they are some multiple of the accounts; in
nested loops their square.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from adbc_driver_manager.dbapi import Cursor

from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.changes import record_changes
from cs_pipeline.history.renewal_windows import record_windows
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.scores import score_weeks
from cs_pipeline.history.statistics import analyze_grown
from cs_pipeline.warehouse.bulk import read_rows
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.marts import week
from tests.builders.triggers import open_triggers

ACCOUNTS = 1_500
WEEKS = 6
MOST = 100 * ACCOUNTS
"""Rows that one node may touch; a tenth of the square."""
Plan = tuple[str, dict[str, Any]]


@pytest.fixture
def unknown(marts: Warehouse) -> Warehouse:
    """Marts of many accounts that nobody ever analyzed; of every second one most weeks know nothing."""
    metrics = ", ".join(METRICS)
    values = ", ".join(
        "case when mod(account, 2) = 0 or nth in (0, 4) then mod(account * 7 + nth, 100) end" for _ in METRICS
    )
    with marts.session() as session, session.cursor() as cursor:
        for table in ("marts.fct_account_weeks", "cs.health_scores", "cs.score_changes", "cs.parent_scores"):
            cursor.execute(f"alter table {table} set (autovacuum_enabled = off)")
        cursor.execute(
            "insert into marts.fct_account_weeks "
            f"(account_id, week, tier, cohort_month, parent_account_id, lifecycle_stage, {metrics}) "
            "select 'account ' || account, %s::date + 7 * nth, 'pro', '2023-01-01', 'parent ' || account / 5, "
            f"'retention', {values} from generate_series(1, %s) as accounts (account), "
            "generate_series(0, %s) as weeks (nth)",
            [week(0), ACCOUNTS, WEEKS - 1],
        )
        cursor.execute(
            "insert into marts.dim_accounts (account_id) "
            "select 'account ' || account from generate_series(1, %s) as account",
            [ACCOUNTS],
        )
        cursor.execute(
            "insert into marts.fct_subscription_terms "
            "(subscription_id, account_id, mrr, started_on, ended_on, renews_on, renewal_type, is_trial, is_addon) "
            "select 's' || account, 'account ' || account, 100, '2023-01-01', "
            "null, %s::date + mod(account, 300), 'manual', false, false from generate_series(1, %s) as account",
            [week(0), ACCOUNTS],
        )
    return marts


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """Fills up with every statement that runs, and what it did when it was tried just before."""
    explained: list[Plan] = []
    execute = Cursor.execute

    def explain_first(self: Cursor, operation: str, parameters: Any = None) -> None:
        if operation.split(maxsplit=1)[0].lower() in ("select", "with", "insert", "update", "delete"):
            with self.connection.cursor() as cursor:
                execute(cursor, "savepoint explained")
                cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                execute(cursor, f"explain (analyze, timing off, format json) {operation}", parameters)
                (found,) = cursor.fetchone() or ("[]",)
                execute(cursor, "rollback to savepoint explained")
            explained.append((operation, json.loads(found)[0]["Plan"]))
        execute(self, operation, parameters)

    monkeypatch.setattr(Cursor, "execute", explain_first)
    return explained


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_touched(node: dict[str, Any]) -> float:
    counts = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    return sum(node.get(name, 0) for name in counts) * node.get("Actual Loops", 1)


def too_much(plans: Sequence[Plan]) -> list[tuple[str, str, float]]:
    """Statement, node and rows of each node that touched too many."""
    return [
        (" ".join(statement.split())[:300], node["Node Type"], rows_touched(node))
        for statement, plan in plans
        for node in nodes(plan)
        if rows_touched(node) > MOST
    ]


@pytest.mark.one_server("it explains no statement that its servers work on")
@pytest.mark.parametrize("at_once", [True, False], ids=["a backfill", "week by week"])
def test_no_statement_of_the_weekly_record_is_quadratic_in_accounts(
    unknown: Warehouse, plans: list[Plan], at_once: bool
) -> None:
    selection = load_selection(None)
    weeks: list[date] = [week(number) for number in range(WEEKS)]
    for some in [weeks] if at_once else [[each] for each in weeks]:
        score_weeks(unknown, selection, some, Scope())
        record_changes(unknown, selection, some, Scope(), "live")
        record_windows(unknown, some, Scope(), "live")
        open_triggers(unknown, some[-1])
    for table in ("cs.health_scores", "cs.score_changes", "cs.parent_scores", "cs.renewal_windows", "cs.triggers"):
        assert any(table in statement for statement, _ in plans), table
    assert not too_much(plans)


def counted(warehouse: Warehouse, table: str) -> bool:
    """Whether the planner knows how many rows the table has."""
    sql = f"select (select reltuples from pg_class where oid = '{table}'::regclass) = count(*) as is_so from {table}"
    return read_rows(warehouse, sql)[0]["is_so"]


@pytest.mark.one_server("each server keeps the statistics of its part")
def test_what_a_run_filled_has_statistics_when_it_is_read(unknown: Warehouse) -> None:
    selection = load_selection(None)
    weeks = [week(number) for number in range(WEEKS)]
    known: list[bool] = []
    score_weeks(
        unknown, selection, weeks, Scope(), on_week=lambda _: known.append(counted(unknown, "cs.health_scores"))
    )
    assert all(known[:3])  # later ones are a small part of what is known
    assert counted(unknown, "cs.health_scores")
    record_changes(unknown, selection, weeks, Scope(), "live")
    record_windows(unknown, weeks, Scope(), "live")
    assert counted(unknown, "cs.score_changes")
    assert counted(unknown, "cs.renewal_windows")


def test_a_table_that_did_not_grow_is_not_analyzed_for_every_week(unknown: Warehouse) -> None:
    with unknown.arrow() as connection:
        for expected in (1, 1):
            analyze_grown(connection, "marts.fct_account_weeks")
            analyses = "select pg_stat_force_next_flush()::text, 1 as one"
            with connection.cursor() as cursor:
                cursor.execute(analyses)
            connection.commit()
            found = "select analyze_count from pg_stat_all_tables where relid = 'marts.fct_account_weeks'::regclass"
            assert read_rows(unknown, found)[0]["analyze_count"] == expected
