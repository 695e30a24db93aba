"""The code server that UI and daemon share: where it listens, how they find it, what is said of code that is broken."""

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from cs_pipeline.cli.code_location import why_not_loaded
from cs_pipeline.cli.code_server import socket_of, write_workspace
from cs_pipeline.cli.services import (
    CODE_SERVER,
    STOPPED_IN_TURN,
    environment_for,
    prepare_dagster_home,
    services_to_keep,
)
from cs_pipeline.orchestration.code_server_client import CodeState, state_of_code
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.databases import nobody_let_in
from tests.conftest import ROOT
from tests.fakes.provider import Answer, provider
from tests.waiting import wait_until

LOADED = CodeState(is_answered=True)
PATIENCE = timedelta(minutes=4)


def test_it_listens_in_the_home_folder(tmp_path: Path) -> None:
    assert socket_of(Settings(home=tmp_path)) == tmp_path / "run" / "code-server.sock"


def test_a_path_too_long_for_a_socket_is_given_a_short_one_of_its_own(tmp_path: Path) -> None:
    deep = [tmp_path / ("d" * 90) / name for name in ("one", "other")]
    sockets = [socket_of(Settings(home=home)) for home in deep]
    assert all(len(os.fsencode(socket)) <= 100 for socket in sockets)
    assert sockets[0] != sockets[1]
    assert sockets[0] == socket_of(Settings(home=deep[0]))


def test_the_location_keeps_its_name_so_that_history_goes_on(tmp_path: Path) -> None:
    """Of the code server of `up`, and of `workspace.yaml` for plain Dagster."""
    settings = Settings(home=tmp_path)
    settings.dagster_home.mkdir()
    (shared,) = yaml.safe_load(write_workspace(settings).read_text())["load_from"]
    (plain,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    names = {
        shared["grpc_server"]["location_name"],
        plain["python_module"]["location_name"],
        tools["dagster"]["code_location_name"],  # `dagster dev`
        tools["dg"]["project"]["code_location_name"],  # `dg dev`
    }
    assert len(names) == 1
    assert shared["grpc_server"]["socket"] == str(socket_of(settings))


def test_ui_and_daemon_find_it_and_it_is_started_first_and_stopped_after_them(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, slack_app_token="xapp", slack_bot_token="xoxb")  # pyright: ignore
    services = services_to_keep(settings)
    without = services_to_keep(Settings(home=tmp_path))
    assert {service.name for service in services} - {service.name for service in without} == {"slack"}
    assert services[0].name == CODE_SERVER
    workspace = str(settings.dagster_home / "workspace.yaml")
    assert [service.name for service in services if workspace in service.arguments] == ["webserver", "daemon"]
    assert {service.name for service in services} | {"watchdog"} == set(STOPPED_IN_TURN)
    assert STOPPED_IN_TURN.index("daemon") < STOPPED_IN_TURN.index(CODE_SERVER)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"locationEntries": [{"locationOrLoadError": {}}]}, ""),
        ({"locationEntries": [{"locationOrLoadError": None}]}, ""),
        ({"locationEntries": [{"locationOrLoadError": {"message": "no week\nis named so"}}]}, "no week is named so"),
        ({"message": "no workspace"}, "no workspace"),
    ],
)
def test_why_the_code_does_not_load_is_asked_of_the_ui(found: dict, words: str, tmp_path: Path) -> None:
    with provider(Answer(200, {"data": {"workspaceOrError": found}})) as ui:
        assert why_not_loaded(Settings(home=tmp_path, ui_url=ui.url)) == words


@pytest.mark.slow(seconds=40)
def test_code_that_found_no_database_is_loaded_once_it_is_back(
    warehouse: Warehouse, server: str, tmp_path: Path
) -> None:
    with code_server(warehouse, tmp_path) as (socket, log):
        with nobody_let_in(warehouse, server):
            wait_until("a load that fails", PATIENCE, lambda: "cannot be reached" in why_not(socket), log.read_text)
        wait_until("code that is loaded", PATIENCE, lambda: state_of_code(socket) == LOADED, log.read_text)


def why_not(socket: Path) -> str:
    return state_of_code(socket).why_not_loaded


@contextmanager
def code_server(warehouse: Warehouse, home: Path) -> Iterator[tuple[Path, Path]]:
    """As the watchdog starts it; its socket and its log."""
    settings, log = Settings(home=home), home / "code-server.log"
    prepare_dagster_home(settings)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "cs_pipeline.cli.code_server"],
            env=os.environ | environment_for(settings, warehouse),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield socket_of(settings), log
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
