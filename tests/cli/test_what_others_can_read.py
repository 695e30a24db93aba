"""What others on the machine, and other pages in the browser, can read of us: nothing."""

import asyncio
import http.client
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster_webserver.cli as dagster_ui
import psycopg2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from cs_pipeline.channels.capture import CaptureChannel
from cs_pipeline.channels.message import Message
from cs_pipeline.cli import main, webserver
from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.clock import Clock
from cs_pipeline.plain_files import keep_short, make_private
from cs_pipeline.settings import Settings
from cs_pipeline.site.allowed_hosts import ANY, AllowedHosts, hosts_of
from cs_pipeline.site.application import site_app
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer

MONDAY = datetime(2026, 6, 29, 9, tzinfo=UTC)
MESSAGE = Message(
    action_key="k1",
    channel="email",
    recipient="ada@customer.example",
    subject="Renewal</script>",
    body_text="Dear Ada",
    body_html="<p>Dear Ada</p>",
    payload={},
    account_id="a1",
    playbook="renewal",
    step="first",
    due_on=date(2026, 6, 29),
    category="renewal",
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


Ask = Callable[..., Answer]


@contextmanager
def serving(app: ASGIApp) -> Iterator[Ask]:
    """Serves an application on a port of its own; gives a function that asks for a path, as some host."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]

    def ask(path: str, host: str = "127.0.0.1:3001", method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request(method, path, headers={"Host": host, **headers})
        response = connection.getresponse()
        told = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
        connection.close()
        return told

    try:
        yield ask
    finally:
        server.should_exit = True
        thread.join()


def talk(app: ASGIApp, host: str, origin: str | None) -> list[str]:
    """What a web socket is sent."""
    sent: list[str] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        sent.append(dict(message)["type"])  # type: ignore[call-overload]

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    scope = {"type": "websocket", "path": "/talk", "headers": headers, "query_string": b"", "root_path": ""}
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def captured(settings: Settings, warehouse: Warehouse) -> str:
    """Path of the page of one captured message."""
    (outcome,) = CaptureChannel(settings, warehouse, Clock(MONDAY)).deliver([MESSAGE])
    return str(outcome.provider_id)


def modes(folder: Path) -> Iterator[tuple[str, int]]:
    for path in (folder, *folder.rglob("*")):
        yield str(path), stat.S_IMODE(path.stat().st_mode)


def test_captured_messages_can_be_read_by_us_alone(settings: Settings, captured: str) -> None:
    assert (settings.captures / captured).exists()
    assert [(path, oct(mode)) for path, mode in modes(settings.captures) if mode & 0o077] == []


def test_a_service_writes_its_log_and_pid_for_us_alone(settings: Settings) -> None:
    processes = Processes(settings.home)
    before = os.umask(0o077)  # as the command does
    try:
        processes.start(Service("site", ("-c", "print(1)")), {})
    finally:
        os.umask(before)
        processes.stop("site")
    assert [(path, oct(mode)) for path, mode in modes(settings.home) if mode & 0o077] == []


def test_a_command_writes_for_us_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["cs-pipeline", "play", "pages", str(tmp_path / "pages")])
    monkeypatch.setenv("CS_PIPELINE_HOME", str(tmp_path))
    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit):
            main()
        assert os.umask(0o022) == 0o022  # given back
    finally:
        os.umask(before)
    assert [path for path, mode in modes(tmp_path / "pages") if mode & 0o077] == []


def test_a_folder_that_was_there_before_keeps_what_lies_above_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private(tmp_path / "one" / "two")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in (".", "one", "one/two")] == [
        0o755,
        0o700,
        0o700,
    ]


def test_a_log_that_has_grown_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    keep_short(log, 3)
    log.write_text("four")
    keep_short(log, 3)
    assert (tmp_path / "daemon.log.1").read_text() == "four"
    assert not log.exists()


@pytest.fixture
def site(settings: Settings, warehouse: Warehouse) -> Iterator[Ask]:
    with serving(site_app(settings, warehouse, Clock(MONDAY))) as ask:
        yield ask


def test_the_site_gives_out_captured_messages_under_a_policy_of_their_own(site: Ask, captured: str) -> None:
    page = site(f"/messages/{captured}")
    assert "Dear Ada" in page.text
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    for answer in (page, site("/messages"), site("/nothing.html")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_without_a_message_the_site_says_where_messages_come_from(site: Ask) -> None:
    assert "No message has been captured yet." in site("/messages").text


@pytest.mark.parametrize(
    "path", ["messages.js", "index.html", "2026-06-29/", "../settings.env", "%2e%2e/settings.env", "x.txt"]
)
def test_nothing_else_of_the_folder_is_given_out(site: Ask, settings: Settings, captured: str, path: str) -> None:
    for name in ("settings.env", "captured/x.txt"):
        (settings.home / name).write_text("secret")
    assert site(f"/messages/{path}").status == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3001", "127.0.0.1.evil.example", "", "[", "a@evil"])
def test_another_host_is_refused(site: Ask, captured: str, host: str) -> None:
    for path in ("/", "/messages", f"/messages/{captured}", "/static/site.css"):
        answer = site(path, host)
        assert answer.status == 403
        assert "CS_PIPELINE_ALLOWED_HOSTS" in answer.text


def test_this_machine_and_the_hosts_that_are_meant_are_answered(tmp_path: Path, warehouse: Warehouse) -> None:
    settings = Settings(home=tmp_path, ui_url="https://cs.corp.example", allowed_hosts=("ours",))
    with serving(site_app(settings, warehouse, Clock(MONDAY))) as site:
        for host in ("localhost", "LOCALHOST:3001", "127.0.0.1:9", "[::1]:3001", "cs.corp.example:80", "ours"):
            assert site("/messages", host).status == 200, host


def test_hosts_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS_PIPELINE_ALLOWED_HOSTS", "A.example, b.example")
    assert {"a.example", "b.example", "localhost"} <= hosts_of(Settings())


def changing_app() -> Starlette:
    async def change(_: object) -> PlainTextResponse:
        return PlainTextResponse("changed")

    async def talk(socket: WebSocket) -> None:
        await socket.accept()

    return Starlette(routes=[Route("/graphql", change, methods=["GET", "POST"]), WebSocketRoute("/talk", talk)])


def test_a_page_of_a_stranger_can_change_nothing() -> None:
    guarded = AllowedHosts(changing_app(), {"localhost"})
    strangers = ("https://evil.example", "null", "http://localhost.evil.example")
    with serving(guarded) as ask:
        assert ask("/graphql", "localhost", "POST").status == 200  # a program
        assert ask("/graphql", "localhost", "POST", Origin="http://localhost:3000").status == 200
        assert [ask("/graphql", "localhost", "POST", Origin=origin).status for origin in strangers] == [403] * 3
    assert talk(guarded, "localhost:3000", "http://localhost:3000") == ["websocket.accept"]
    assert talk(guarded, "localhost:3000", None) == ["websocket.accept"]
    assert talk(guarded, "evil.example", None) == ["websocket.close"]
    assert [talk(guarded, "localhost", origin) for origin in strangers] == [["websocket.close"]] * 3
    assert talk(AllowedHosts(changing_app(), {ANY}), "evil.example", "https://evil.example") == ["websocket.accept"]


def test_the_dagster_ui_is_guarded_by_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[ASGIApp] = []
    name = "create_app_from_workspace_process_context"
    monkeypatch.setattr(webserver, name, lambda *_, **__: changing_app())
    getattr(webserver, name).__name__ = name
    monkeypatch.setattr(dagster_ui, name, getattr(dagster_ui, name))  # so that it is put back
    monkeypatch.setattr("dagster_webserver.cli.check.inst_param", lambda value, *_: value)
    monkeypatch.setattr("dagster_webserver.cli.log_action", lambda *_: None)
    monkeypatch.setattr("uvicorn.run", lambda app, **_: served.append(app))
    webserver.guard()
    context: Any = SimpleNamespace(instance=None)
    dagster_ui.host_dagster_ui_with_workspace_process_context(context, "127.0.0.1", 3000, "", "warning")
    with serving(served[0]) as ask:
        assert ask("/graphql").status == 200
        assert ask("/graphql", "evil.example").status == 403


def test_the_embedded_server_logs_no_row_and_for_us_alone(server: str) -> None:
    """Whatever fails, in the words of the error, its detail, its statement or its parameters."""
    if "CS_PIPELINE_TEST_SERVER_URL" in os.environ:
        pytest.skip("the server of this session is not the embedded one")
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in (
            "select 'ada@customer.example'::integer",
            "do $$ begin raise exception 'ada@customer.example' using detail = 'ada@customer.example'; end $$",
            "create temporary table m (a text primary key); insert into m values ('ada@customer.example'), "
            "('ada@customer.example')",
            "select 'ada@customer.example' from nowhere",
            "do $$ begin raise warning 'ada@customer.example'; end $$",
        ):
            try:
                cursor.execute(statement)
            except psycopg2.Error:
                connection.rollback()
        cursor.execute("select current_setting('data_directory')")
        (data,) = cursor.fetchone() or ("",)
    connection.close()
    folder = Path(data).parent
    logs = [folder / "server.log", *(Path(data) / "log").glob("*")]
    assert len(logs) == 2
    told = "".join(path.read_text(errors="replace") for path in logs)
    assert "ready to accept connections" in told
    assert "ada@customer" not in told
    assert [path for path in logs if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0 or folder.name.startswith("cs_pipeline_tests_")
    assert json.dumps(EmbeddedServer(folder).url)
