"""On a real Citus the tables of a working installation are spread and brought back, and weeks score the same there.

Skipped, in words, unless CS_PIPELINE_TEST_SERVER_URL names a Citus with workers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from cs_pipeline.alerts import findings, transition
from cs_pipeline.alerts.audience import ACCOUNTS
from cs_pipeline.alerts.rule_transaction import begin, look_back
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.warehouse import distribute
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.layout import Place
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import migrate
from cs_pipeline.warehouse.spread import places_of
from tests.builders.citus import require_workers
from tests.builders.databases import Databases
from tests.builders.sample_history import WEEK, History

pytestmark = pytest.mark.xdist_group("citus")

COMPANY = SampleCompany(accounts=40, weeks=20, seed=11, events_scale=0.2)
MOMENT = datetime.combine(COMPANY.first_week + 12 * WEEK, datetime.min.time(), UTC) + timedelta(hours=6)
WEEKLY = (
    *("cs.health_scores", "cs.score_changes", "cs.parent_scores", "cs.renewal_windows", "cs.renewal_forecasts"),
    *("cs.account_overview", "cs.account_overview_values", "cs.score_calibrations", "cs.score_distributions"),
    *("cs.segment_members", "cs.triggers", "marts.fct_account_weeks", "marts.fct_renewals", "marts.dim_accounts"),
    *("marts.fct_subscription_terms", "intermediate.int_user_activity_daily", "intermediate.int_feature_usage_daily"),
)
"""What the weekly job makes."""
GATHERED = {
    *("intermediate.int_accounts_over_time", "intermediate.int_customer_statements", "intermediate.int_renewal_dates"),
    *("intermediate.int_feature_usage_to_date", "intermediate.int_user_activity_to_date", "marts.fct_ticket_sla"),
}
"""Views of which a part is brought to the coordinator first: alert rules ask them, about moments."""
OF_THE_RUN = ("scored_at", "made_at", "recorded_at", "built_at", "set_at", "_loaded_at")
"""Columns that say when a run was."""


@dataclass(frozen=True)
class Pair:
    """The same company on one server and on several, loaded and scored by the same steps."""

    plain: History
    spread: History


@pytest.fixture(scope="module")
def pair(databases: Databases, server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both with eleven weeks; the tables were spread between a load and the weeks, with the rows that they had."""
    require_workers(server)
    folder = tmp_path_factory.mktemp("spread")
    generate(folder / "sample", COMPANY)
    both = Pair(*(History(databases.create(), folder / name, COMPANY) for name in ("plain", "spread")))
    for history in (both.plain, both.spread):
        migrate(history.warehouse)
        load_folder(history.warehouse, folder / "sample")
        if history is both.spread:
            distribute.distribute(history.warehouse, lambda _: None)
        with history.runtime() as runtime:
            runtime.launcher.run_weeks(COMPANY.first_week, COMPANY.first_week + 9 * WEEK)
            runtime.launcher.run_weeks(COMPANY.first_week + 10 * WEEK, COMPANY.first_week + 11 * WEEK)
    yield both
    for history in (both.plain, both.spread):
        databases.drop(history.warehouse)


@pytest.fixture
def beside(databases: Databases, server: str) -> Iterator[Warehouse]:
    """A migrated database of a Citus."""
    require_workers(server)
    warehouse = databases.create()
    migrate(warehouse)
    yield warehouse
    databases.drop(warehouse)


def test_tables_are_moved_and_brought_back_as_they_were(beside: Warehouse) -> None:
    before = _described(beside)
    wanted = {s.table: s.kind for s in distribute.plan(beside) if s.kind is not Place.LOCAL}
    assert distribute.distribute(beside, lambda _: None) == len(wanted)
    with beside.session() as session, session.cursor() as cursor:
        assert places_of(cursor) == wanted
    assert distribute.distribute(beside, lambda _: None) == 0
    assert distribute.undo(beside, lambda _: None) == len(wanted)
    assert _described(beside) == before


@pytest.mark.parametrize("table", WEEKLY)
def test_weeks_come_to_the_same_rows_on_several_servers(pair: Pair, table: str) -> None:
    plain, spread = (_rows_of(each, table) for each in (pair.plain, pair.spread))
    assert plain == spread


def test_every_table_is_still_where_it_belongs_after_the_weeks(pair: Pair) -> None:
    stands = distribute.plan(pair.spread.warehouse)
    assert [each.table for each in stands if not each.is_there] == []


def test_views_of_accounts_are_asked_on_each_server_for_itself(pair: Pair) -> None:
    views = pair.spread.rows(
        "select format('%s.%s', relnamespace::regnamespace, relname) from pg_class where relkind = 'v' "
        "and relnamespace::regnamespace::text in ('staging', 'intermediate', 'marts')"
    )
    plans = {str(view): str(pair.spread.rows(f"explain (costs off) select * from {view}")) for (view,) in views}
    assert {view for view, plan in plans.items() if "Distributed Subplan" in plan} == GATHERED


def test_every_rule_of_alerts_finds_the_same_on_several_servers(pair: Pair) -> None:
    plain, spread = (_found(each) for each in (pair.plain, pair.spread))
    assert plain == spread
    assert sum(len(rows) for rows in plain.values()) > 0


def _rows_of(history: History, table: str) -> list[str]:
    """Its rows as texts, without what says when a run was, in an order of their own."""
    columns = history.rows(
        f"select quote_ident(attname) from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 "
        f"and not attisdropped and attname <> all(array{[*OF_THE_RUN]}) order by attname"
    )
    listed = ", ".join(str(name) for (name,) in columns)
    return sorted(str(told) for (told,) in history.rows(f"select row({listed})::text from {table}"))


def _found(history: History) -> dict[str, list[tuple[object, ...]]]:
    """What each rule finds at the moment, after an outage of nine days."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for name, rule in load_rules(None).items():
        with history.warehouse.session() as session, session.cursor() as cursor:
            transition.create_workspace(session)
            begin(session, MOMENT)
            look_back(session, 9)
            findings.find(session, rule, ACCOUNTS)
            cursor.execute("select alert_rows::text from alert_rows order by 1")
            found[name] = cursor.fetchall()
    return found


def _described(warehouse: Warehouse) -> str:
    """Columns, constraints and indexes of all tables of cs."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select jsonb_agg(line order by line) from ("
            "select concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, null), attidentity, attnotnull) "
            "as line from pg_attribute inner join pg_class on attrelid = pg_class.oid "
            "where relnamespace = 'cs'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped union all "
            "select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'cs'::regnamespace union all "
            "select indexdef from pg_indexes where schemaname = 'cs') as described"
        )
        return json.dumps(cursor.fetchone(), indent=1)
