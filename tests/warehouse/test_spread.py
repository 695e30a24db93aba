"""On a real Citus the tables of a working installation are spread and brought back, and weeks score the same there.

Skipped, in words, unless CS_PIPELINE_TEST_SERVER_URL names a Citus with workers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cs_pipeline.alerts import findings, transition
from cs_pipeline.alerts.audience import ACCOUNTS
from cs_pipeline.alerts.rule_transaction import begin, look_back
from cs_pipeline.alerts.rulebook import load_rules
from cs_pipeline.dbt_files import DBT_PROJECT
from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.generate import generate
from cs_pipeline.warehouse import distribute
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.dbt_cli import run_models, week_variables
from cs_pipeline.warehouse.layout import Place
from cs_pipeline.warehouse.load import load_folder
from cs_pipeline.warehouse.migrate import migrate
from cs_pipeline.warehouse.spread import places_of
from tests.builders.citus import require_workers
from tests.builders.databases import Databases
from tests.builders.dbt_statements import LOGGED_WITH_THEIR_MODELS, Handed, hand_on_again, statements_of
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
TABLES_OF_DBT = "config.materialized:table config.materialized:incremental"
SUMMED_UP = {
    "fct_kpis": "a row a KPI and month, over all accounts",
    "int_kpis_of_retention": "the same",
    "fct_cohort_retention": "a row a cohort and month, over all accounts",
    "fct_mrr_bridge": "a row a segment and month, over all accounts",
    "fct_mrr_drivers": "each account's place among all that moved in the month",
}
"""Tables for which account months come together on the coordinator, and what they are."""
FEW = {
    "int_feature_usage_daily": "the days that news are of, so that only these are read of what is stored",
    "int_user_activity_daily": "the same",
    "fct_account_weeks": "a row a feature and week: how many accounts use it, among all",
}
"""Tables of which a step brings something together that does not grow with accounts, and what that is."""
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


def test_what_dbt_builds_of_accounts_each_server_builds_of_its_own(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LOGGED_WITH_THEIR_MODELS.items():
        monkeypatch.setenv(name, value)
    news_of_a_week = f"update raw.events set _load_id = _load_id + 1 where occurred_at >= '{COMPANY.ends_on - WEEK}'"
    pair.spread.rows(news_of_a_week)
    weeks = week_variables(COMPANY.first_week + 10 * WEEK, COMPANY.first_week + 11 * WEEK)
    run_models(
        pair.spread.warehouse,
        f"{TABLES_OF_DBT} path:models/intermediate/kpis path:models/intermediate/revenue",
        weeks | {"present": MOMENT.isoformat()},
        folder=DBT_PROJECT,
        target=str(tmp_path),
        log=tmp_path / "printed",
    )
    handed = list(hand_on_again(pair.spread.warehouse, statements_of(tmp_path / "dbt.log")))
    assert set(SUMMED_UP) | set(FEW) < {each.model for each in handed}
    shards = _number(pair.spread, "select count(*) from citus_shards where table_name = 'raw.accounts'::regclass")
    assert [each for each in handed if each.model not in SUMMED_UP and not _is_of_its_own(each, shards)] == []
    of_a_shard = _number(
        pair.spread,
        "select max(accounts) from (select count(*) as accounts from raw.accounts "
        "group by get_shard_id_for_distribution_column('raw.accounts', account_id)) as shards",
    )
    gathered = {each.model: each.most_gathered_first for each in handed if each.most_gathered_first > of_a_shard}
    assert gathered.keys() - SUMMED_UP.keys() <= FEW.keys()
    days_or_features = max(7, 2 * pair.spread.count("raw.features"))
    assert all(gathered.get(model, 0) <= days_or_features for model in FEW)


def _is_of_its_own(handed: Handed, shards: int) -> bool:
    """Whether each shard is made of rows that are beside it; of no account is what stays on the coordinator."""
    return not handed.is_spread or (handed.tasks == shards and not handed.is_gathered)


def _number(history: History, sql: str) -> int:
    ((number,),) = history.rows(sql)
    return int(str(number))


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
    """Columns, constraints and indexes of all tables of cs, and its functions."""
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select jsonb_agg(line order by line) from ("
            "select concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, null), attidentity, attnotnull) "
            "as line from pg_attribute inner join pg_class on attrelid = pg_class.oid "
            "where relnamespace = 'cs'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped union all "
            "select conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'cs'::regnamespace union all "
            "select indexdef from pg_indexes where schemaname = 'cs' union all "
            "select pg_get_functiondef(oid) from pg_proc where pronamespace = 'cs'::regnamespace and prokind = 'f'"
            ") as described"
        )
        return json.dumps(cursor.fetchone(), indent=1)
