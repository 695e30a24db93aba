"""What the platform asks the site: does it live, can it serve, and the figures of /metrics."""

import json
import re
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, TickData, TickStatus
from dagster_shared.error import SerializableErrorInfo
from pydantic import SecretStr
from starlette.testclient import TestClient

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.cli.watchdog import surroundings
from cs_pipeline.clock import Clock
from cs_pipeline.reports.monitoring.exposition import PREFIX, Gauge, Reading, in_text_format
from cs_pipeline.reports.monitoring.figures import GAUGES
from cs_pipeline.settings import Settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.migrate import version_of
from tests.builders.databases import nobody_let_in
from tests.builders.site import Sample, client_of
from tests.command_line import run_command
from tests.conftest import ROOT

LINE = re.compile(r'^cs_pipeline_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+$')
ELSEWHERE = {"Host": "10.1.2.3:3001"}
"""As a probe asks a pod."""


def figures(text: str) -> dict[str, float]:
    """The value of each line by its name and labels."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in lines if not LINE.match(line)] == []
    return {name.removeprefix(PREFIX): float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_probe_learns_whether_the_process_lives_and_whether_it_can_serve(
    warehouse: Warehouse,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(warehouse.url))
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    pool, newest = PooledWarehouse(warehouse.url), version_of(warehouse).newest
    with TestClient(site_app(settings, pool, Clock(None), is_open=True), headers=ELSEWHERE) as client:
        assert client.get("/today").status_code == 403, "other paths ask under which name they are asked for"
        assert (client.get("/healthz").text, client.get("/readyz").text) == ("alive\n", "ready\n")
        assert client.head("/readyz").status_code == 200
        assert client.post("/readyz").status_code == 405
        assert run_command(monkeypatch, capsys, "warehouse", "ready")[0] == 0
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("update cs.migrations set version_num = '0001'")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert f"the tables are at 0001, and this code needs {newest}" in answer.text
        code, said = run_command(monkeypatch, capsys, "warehouse", "ready", "--wait", "0.1")
        assert code == 1
        assert "warehouse migrate" in said
        with nobody_let_in(warehouse, server):
            pool.close()
            assert client.get("/readyz").status_code == 503
            assert "does not answer" in client.get("/readyz").text
            assert warehouse.location not in client.get("/readyz").text
            assert client.get("/metrics").status_code == 403
            assert client.get("/healthz").status_code == 200, "to start it anew would not help"
    pool.close()


def test_figures_count_what_is_due_stuck_paused_open_scored_and_loaded(changing: Sample) -> None:
    now = changing.now
    with changing.warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("update cs.actions set status = 'cancelled', reason = 'test' where status = 'planned'")
        cursor.execute("select action_id from cs.actions where notice_id is null order by action_id limit 3")
        due, failed, uncertain = (action for (action,) in cursor.fetchall())
        set_to = (
            "update cs.actions set status = %s, channel = 'email', due_at = %s, expires_at = %s where action_id = %s"
        )
        for action, status in ((due, "planned"), (failed, "failed"), (uncertain, "uncertain")):
            cursor.execute(set_to, [status, now - timedelta(hours=1), now + timedelta(days=1), action])
        cursor.execute(
            "insert into cs.channel_pauses (channel, cause, detail, since, calls, paused_until) "
            "values ('slack', 'refused', 'invalid_auth', %s, 3, %s)",
            [now, now + timedelta(minutes=5)],
        )
        cursor.execute("select max(extract(epoch from week)) from cs.scored_weeks where model = 'five_factor'")
        ((week,),) = cursor.fetchall()
    with client_of(changing) as client:
        answer = client.get("/metrics")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = figures(answer.text)
    assert found['actions_due{channel="email"}'] == 1
    assert found['oldest_due_action_age_seconds{channel="email"}'] == 3600
    assert found['actions_due{channel="teams"}'] == 0, "a channel without any is there, so that an alert can end"
    assert found['actions_stuck{status="failed",channel="email"}'] == 1
    assert found['actions_stuck{status="uncertain",channel="email"}'] == 1
    assert {found[f'channel_paused{{channel="{name}"}}'] for name in KINDS if name != "slack"} == {0}
    assert found['channel_paused{channel="slack"}'] == 1
    assert found['last_scored_week_timestamp_seconds{model="five_factor"}'] == float(week)
    assert found['source_loaded_timestamp_seconds{source="accounts"}'] > 0
    assert found['source_allowed_age_seconds{source="events"}'] > 0
    assert found['alerts_open{severity="urgent"}'] >= 1
    assert found['alerts_open{severity="low"}'] >= 0


def test_figures_tell_ticks_that_fail_and_when_each_sensor_was_last_there(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_PIPELINE_DATABASE_URL", warehouse.url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
    clock = Clock(None)
    settings, pool = Settings(home=tmp_path, database_url=SecretStr(warehouse.url)), PooledWarehouse(warehouse.url)
    with TestClient(site_app(settings, pool, clock), base_url="http://127.0.0.1:3001") as client:
        before = figures(client.get("/metrics").text)
        assert not any(name.startswith("last_tick") for name in before), "Dagster has no tables yet"
        with dg.DagsterInstance.get() as instance:
            for name, ages in {"due_actions_sensor": (50, 20, 5), "off": (10,)}.items():
                _tick(instance, name, [clock.now().timestamp() - 60 * age for age in ages])
        found = figures(client.get("/metrics").text)
    pool.close()
    with warehouse.session() as session:
        assert surroundings(session, clock.now()).sensor == "due_actions_sensor fails: no such table"
    assert found['ticks_failed_last_hour{type="sensor",name="due_actions_sensor"}'] == 3
    age = clock.now().timestamp() - found['last_tick_timestamp_seconds{type="sensor",name="due_actions_sensor"}']
    assert 5 * 60 <= age < 6 * 60
    assert 'last_tick_timestamp_seconds{type="sensor",name="off"}' not in found, "who switched it off knows"


def _tick(instance: dg.DagsterInstance, name: str, moments: list[float]) -> None:
    """A sensor of that name with failed ticks at those moments."""
    location = GrpcServerCodeLocationOrigin(host="localhost", port=4000, location_name="cs_pipeline")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
    status = InstigatorStatus.STOPPED if name == "off" else InstigatorStatus.DECLARED_IN_CODE
    instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status))
    selector = origin.get_selector().get_id()
    error = SerializableErrorInfo("no such table", [], None)
    for moment in moments:
        tick = TickData(origin.get_id(), name, InstigatorType.SENSOR, TickStatus.FAILURE, moment, error=error)
        instance.create_tick(tick._replace(selector_id=selector))


@pytest.mark.parametrize("changes", [{"is_open": True}, {"site_user_header": "X-User"}])
def test_where_others_can_reach_the_site_figures_ask_for_a_token(
    warehouse: Warehouse, tmp_path: Path, changes: dict
) -> None:
    is_open = changes.pop("is_open", False)
    settings = Settings(home=tmp_path, database_url=SecretStr(warehouse.url), **changes)
    pool = PooledWarehouse(warehouse.url)
    with TestClient(site_app(settings, pool, Clock(None), is_open=is_open), base_url="http://127.0.0.1") as client:
        answer = client.get("/metrics")
        assert answer.status_code == 403
        assert "CS_PIPELINE_METRICS_TOKEN" in answer.text
    with_token = settings.model_copy(update={"metrics_token": SecretStr("geheim")})
    with TestClient(site_app(with_token, pool, Clock(None), is_open=is_open), headers=ELSEWHERE) as client:
        for said in ({}, {"Authorization": "Bearer falsch"}, {"Authorization": "geheim"}):
            assert client.get("/metrics", headers=said).status_code == 401
        assert client.get("/metrics", headers={"Authorization": "Bearer geheim"}).status_code == 200
    pool.close()


def test_text_in_a_label_cannot_end_it() -> None:
    gauge = Gauge("x", "Two\nlines.", ("name",))
    text = in_text_format([gauge, Gauge("y", "None.")], [Reading(gauge, ('a"b\\c\nd',), 1)])
    assert 'cs_pipeline_x{name="a\\"b\\\\c\\nd"} 1\n' in text
    assert "# HELP cs_pipeline_x Two\\nlines.\n" in text
    assert "# TYPE cs_pipeline_y gauge" in text


NAMED = re.compile(r"\bcs_pipeline_[a-z_]+")


@pytest.mark.parametrize("file", ["prometheus-alerts.yaml", "grafana-dashboard.json"])
def test_every_figure_that_the_example_alerts_and_the_dashboard_name_exists(file: str) -> None:
    text = (ROOT / "deploy" / file).read_text(encoding="utf-8")
    named = {name.removeprefix(PREFIX) for name in NAMED.findall(text.partition("groups:")[2] or text)}
    known = {gauge.name for gauge in GAUGES}
    assert named - known == set()
    left_out = {"alerts_open", "actions_due", "build_info"} if file.startswith("prometheus") else set()
    assert known - named == left_out, "figures that nobody looks at, or that are looked at by now"


def test_each_example_alert_says_what_to_do() -> None:
    (group,) = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        assert {"alert", "expr", "for", "labels", "annotations"} == set(rule)
        assert set(rule["annotations"]) == {"summary", "description"}
        for gauge in GAUGES:
            for label in re.findall(rf"{PREFIX}{gauge.name}\{{(\w+)", rule["expr"]):
                assert label in (*gauge.labels, "job")
    board = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in board["panels"])
