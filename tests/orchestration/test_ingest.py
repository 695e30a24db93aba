"""The example in examples/ingest against a real database, real files and an interface: from the sources through dlt and
the mappings to the canonical tables, what is new at each run, and what is said when a source is away.
"""

import importlib.util
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import make_url

pytest.importorskip("dagster_dlt", reason="dlt is not installed: the extra `ingest` brings it")

from cs_pipeline.cli.doctor.files import examine_files
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.orchestration.build import build_defs
from cs_pipeline.orchestration.keys import INGEST_JOB
from cs_pipeline.orchestration.launch import Launcher
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import Databases
from tests.conftest import ROOT

pytestmark = [pytest.mark.xdist_group("ingest"), pytest.mark.slow(seconds=12)]

EXAMPLE = ROOT / "examples" / "ingest"
RAW = ("accounts", "users", "subscriptions", "events", "features", "survey_responses", "tickets")


class Team:
    """Who has sources and no warehouse: the example's shop, files and help desk, and a warehouse of ours."""

    def __init__(self, shop: Warehouse, warehouse: Warehouse, desk: Any, home: Path) -> None:
        self.shop, self.warehouse, self.desk, self.home = shop, warehouse, desk, home
        self.files = home / "files"
        self.first: dict[str, int] = {}

    @property
    def settings(self) -> Settings:
        return Settings(config=EXAMPLE, home=self.home / "home")

    def ingest(self) -> dg.ExecuteInProcessResult:
        """One run of the job, in a code location that is loaded anew as each run's is."""
        with dg.DagsterInstance.ephemeral() as instance:
            defs = build_defs(self.settings, Clock(None))
            return Launcher(defs, instance, self.home / "log").run(INGEST_JOB)

    def rows(self, sql: str, of: Warehouse | None = None) -> list[tuple[Any, ...]]:
        with (of or self.warehouse).session() as session, session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def counts(self) -> dict[str, int]:
        return {table: self.rows(f"select count(*) from raw.{table}")[0][0] for table in RAW}


@pytest.fixture(scope="module")
def desk() -> Iterator[ThreadingHTTPServer]:
    """The example's help desk, answering."""
    spec = importlib.util.spec_from_file_location("desk", EXAMPLE / "desk.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.serve(0, [*module.TICKETS])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def team(
    databases: Databases, migrated: Warehouse, desk: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Team]:
    """With everything that the first run brings."""
    shop, warehouse = databases.create(), databases.create(template=migrated.database)
    team = Team(shop, warehouse, desk, tmp_path_factory.mktemp("ingest"))
    shutil.copytree(EXAMPLE / "files", team.files)
    team.rows((EXAMPLE / "shop.sql").read_text(encoding="utf-8"), shop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
        patch.setenv("SHOP_DATABASE_URL", shop.url)
        patch.setenv("DESK_URL", f"http://127.0.0.1:{desk.server_address[1]}/")
        patch.setenv("SURVEY_FOLDER", str(team.files))
        patch.setenv("CS_PIPELINE_HOME", str(team.home / "home"))
        team.ingest()
        team.first = team.counts()
        yield team
    for database in (shop, warehouse):
        databases.drop(database)


def test_the_first_run_lands_everything_and_maps_it(team: Team) -> None:
    first = team.first
    assert {table: first[table] for table in ("accounts", "users", "subscriptions", "survey_responses", "tickets")} == {
        "accounts": 40, "users": 120, "subscriptions": 40, "survey_responses": 2, "tickets": 3,
    }  # fmt: skip
    assert first["events"] == team.rows("select count(*) from clicks where id < 1000000", team.shop)[0][0]
    assert team.rows("select account_id, comment from raw.survey_responses order by 1") == [
        ("1", "Schön, aber der Export fehlt – 导出功能"), ("2", "Zu langsam, „immer wieder“"),
    ]  # fmt: skip
    assert ("エクスポートできません",) in team.rows("select subject from raw.tickets")
    assert team.rows("select _loaded_at from raw.accounts where _loaded_at is not null") == [], "never at first"


def test_the_next_run_reads_only_what_is_new_or_changed(team: Team) -> None:
    before = team.counts()
    team.rows(
        "insert into clicks select 1000000, 11, now(), 'login'; "
        "update companies set name = 'Renamed', updated_at = now() where id = 1",
        team.shop,
    )
    (team.files / "nps_summer.csv").write_text(
        "id,email,answered_at,score,comment\n9,person1@company3.example,2025-06-01T10:00:00Z,10,\n", encoding="utf-8"
    )
    late = {"id": 4, "company": 1, "requester": "", "subject": "Again", "opened_at": "2025-02-01T09:00:00Z",
            "solved_at": None, "urgent": False, "updated_at": "2025-02-01T09:00:00Z"}  # fmt: skip
    team.desk.tickets[:] = [*team.desk.tickets[1:], late]  # the first is gone at the desk, and stays here
    done = team.ingest()
    landed = {
        ".".join(event.asset_key.path): event.materialization.metadata["rows_loaded"].value
        for event in done.get_asset_materialization_events()
        if event.asset_key and "rows_loaded" in event.materialization.metadata
    }
    assert landed["landing_shop.clicks"] == 1
    assert landed["landing_shop.companies"] == 1
    assert "landing_shop.people" not in landed, "nobody changed"
    assert landed["landing_surveys.answers"] == 1
    assert {table: count - before[table] for table, count in team.counts().items() if count != before[table]} == {
        "events": 1, "survey_responses": 1, "tickets": 1,
    }  # fmt: skip
    assert team.rows("select account_name from raw.accounts where account_id = '1'") == [("Renamed",)]
    assert team.rows("select count(*) from raw.events where _loaded_at > now() - interval '1 hour'") == [(1,)]


def test_a_source_that_is_away_is_named_and_nothing_is_lost(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    before = team.counts()
    team.rows("insert into clicks select 1000001, 11, now() + interval '1 second', 'login'", team.shop)
    with monkeypatch.context() as away:
        away.setenv("SHOP_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/shop")
        with pytest.raises(UserError) as failed:
            team.ingest()
    said = str(failed.value)
    assert "land_shop: The source shop could not be read" in said.replace("cs_pipeline.errors.UserError: ", "")
    assert "Connection refused" in said
    assert "what was landed before stays" in said
    assert "secret" not in said
    assert team.counts() == before
    team.ingest()
    assert team.counts() == {**before, "events": before["events"] + 1}


def test_lineage_reaches_from_each_source_through_mapping_to_the_scores(team: Team) -> None:
    graph = build_defs(team.settings).resolve_asset_graph()
    clicks, events = dg.AssetKey(["landing_shop", "clicks"]), dg.AssetKey(["raw", "events"])
    assert graph.get(clicks).parent_keys == {dg.AssetKey(["shop", "clicks"])}
    assert graph.get(events).parent_keys == {clicks, dg.AssetKey(["landing_shop", "people"])}
    assert dg.AssetKey(["cs", "health_scores"]) in (dg.AssetSelection.assets(clicks).downstream().resolve(graph))
    policy = graph.get(clicks).freshness_policy
    assert policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=6))
    for key in graph.get_all_asset_keys():
        asset = graph.get(key)
        assert asset.group_name not in (None, "default"), key
        assert asset.description, key
        assert asset.owners, key
        assert asset.kinds, key


def test_without_dlt_the_file_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ingest.py").write_text("SOURCES = {}", encoding="utf-8")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"ingest\.py needs dlt: pip install 'cs-pipeline\[ingest\]'"):
        build_defs(Settings(config=tmp_path, home=tmp_path))


def test_doctor_reads_the_file(team: Team) -> None:
    found = {finding.subject: finding for finding in examine_files(team.settings)}
    assert (found["ingest"].state, found["ingest"].words) == ("ok", "dlt lands shop, surveys, desk at 50 * * * * (UTC)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SOURCES = {}", r"ingest\.py lacks SOURCES: a dictionary of dlt sources by name"),
        ("SOURCES = {'My Shop': 1}", r"'My Shop' cannot name a source"),
        ("SOURCES = {'shop': 1}", r"SOURCES\['shop'\] is 1; expected a dlt source"),
        ("import no_such_source", r"ingest\.py:1: ModuleNotFoundError: No module named 'no_such_source'"),
        ("from copied_source import x as SOURCES", r"SOURCES\['copied'\] is 1; expected"),
        ("import os\nos.environ['NO_SUCH']", r"ingest\.py:2: KeyError: 'NO_SUCH'"),
        ("def f(:", r"ingest\.py:1: invalid syntax"),
        ("import dlt\nSCHEDULE = 1\nSOURCES = {'a': dlt.resource([1], name='b')}", r"SCHEDULE is 1; expected a cron"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "ingest.py").write_text(text, encoding="utf-8")
    (tmp_path / "copied_source.py").write_text("x = {'copied': 1}", encoding="utf-8")
    with pytest.raises(UserError, match=words):
        build_defs(Settings(config=tmp_path, home=tmp_path))


def test_an_address_without_a_password_gets_the_one_that_the_driver_found(warehouse: Warehouse) -> None:
    from cs_pipeline.orchestration.assets.landing import url_with_password

    with warehouse.session() as session:
        user, found = session.info.user, session.info.password
        said = make_url(url_with_password(session, "postgresql://db.example:5433/customers?sslmode=require"))
    assert (said.username, said.password) == (user, found or "none")
    assert (said.host, said.port, said.database, said.query["sslmode"]) == (
        "db.example",
        5433,
        "customers",
        "require",
    )
