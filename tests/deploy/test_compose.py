"""Every service of deploy/docker-compose.yml starts as the file says, becomes healthy, and works with the others."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import Databases
from tests.deploy.compose import Machine, services
from tests.fakes.slack_workspace import APP_TOKEN, BOT_TOKEN, workspace
from tests.waiting import wait_until

pytestmark = [pytest.mark.xdist_group("compose"), pytest.mark.slow(seconds=60)]

PATIENCE = timedelta(minutes=4)
STARTED = (("code-server", "site", "watchdog", "slack-listener"), ("webserver", "daemon"))
"""In the order of their dependencies."""


@pytest.fixture(scope="module")
def machine(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """With everything started in the order of the file, on a database in which nothing is."""
    empty = databases.create()
    home = tmp_path_factory.mktemp("compose")
    with ExitStack() as stack:
        slack = stack.enter_context(workspace({}))
        extra = {
            "CS_PIPELINE_SITE_USER_HEADER": "X-Test-User",
            "CS_PIPELINE_SLACK_APP_TOKEN": APP_TOKEN,
            "CS_PIPELINE_SLACK_BOT_TOKEN": BOT_TOKEN,
            "CS_PIPELINE_SLACK_BASE_URL": slack.url,
        }
        machine = Machine(home, empty.url, extra)
        migrated = machine.once("migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        for together in STARTED:
            begun = {service: stack.enter_context(machine.running(service)) for service in together}
            for service, process in begun.items():
                wait_until(f"{service} healthy", PATIENCE, lambda up=(service, process): is_up(machine, *up))
        yield machine
    databases.drop(empty)


def test_each_service_becomes_healthy_and_the_ui_shows_the_code_of_the_code_server(machine: Machine) -> None:
    tried_by_test_celery = {"redis", "worker", "slice-worker"}
    assert set(services()) == {"postgres", "migrate", *STARTED[0], *STARTED[1], *tried_by_test_celery}
    loaded = asked(machine, "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }")
    assert loaded["repositoriesOrError"]["nodes"] == [{"location": {"name": "cs_pipeline"}}]
    site = f"http://127.0.0.1:{machine.ports['3001']}"
    with urllib.request.urlopen(urllib.request.Request(f"{site}/today", headers={"X-Test-User": "ada"})) as page:
        assert page.status == 200


def test_without_a_listener_slack_is_said_not_to_be_listened_to(machine: Machine, tmp_path: Path) -> None:
    elsewhere = Machine(tmp_path, machine.url, machine.extra)
    assert machine.is_healthy("slack-listener")
    assert not elsewhere.is_healthy("slack-listener"), "in another container"


def test_the_daemon_ticks_the_sensors_of_the_code_server(machine: Machine) -> None:
    with Warehouse(machine.url).session() as session, session.cursor() as cursor:

        def ticked() -> bool:
            cursor.execute("select count(*) from job_ticks where status in ('SKIPPED', 'SUCCESS')")
            ((ticks,),) = cursor.fetchall()
            session.commit()
            return ticks > 0

        wait_until("a tick", PATIENCE, ticked, machine.log("daemon").read_text)


def test_what_services_log_is_json(machine: Machine) -> None:
    for service in ("code-server", "webserver", "daemon"):
        lines = machine.log(service).read_text(errors="replace").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        assert events, f"{service}: {lines[:5]}"
        assert all({"timestamp", "level", "logger", "event"} <= set(event) for event in events)


def test_a_second_daemon_refuses(machine: Machine) -> None:
    second = machine.once("daemon")
    assert second.returncode == 1
    assert "daemon is there already" in second.stderr


def is_up(machine: Machine, service: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, machine.log(service).read_text(errors="replace")[-3000:]
    return "healthcheck" not in services()[service] or machine.is_healthy(service)


def asked(machine: Machine, query: str) -> dict[str, Any]:
    """The answer of the Dagster UI."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{machine.ports['3000']}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["data"]
