"""Start and stop the database, Dagster's code server, UI and daemon, and the customer-success site."""

import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from cs_pipeline.cli.code_location import why_not_loaded
from cs_pipeline.cli.code_server import socket_of, write_workspace
from cs_pipeline.cli.console import console, marked, say_done
from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import make_private
from cs_pipeline.project_folder import PROJECT
from cs_pipeline.settings import PREFIX, Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import process_of
from cs_pipeline.warehouse.locate import embedded_server, locate
from cs_pipeline.warehouse.migrate import migrate
from cs_pipeline.warehouse.trial import require_usable

CODE_SERVER, WEBSERVER, DAEMON, SITE, WATCHDOG = "code-server", "webserver", "daemon", "site", "watchdog"
SLACK = "slack"
STOPPED_IN_TURN = (WATCHDOG, WEBSERVER, DAEMON, CODE_SERVER, SITE, SLACK)
"""The watchdog first, which would start the others again."""
START_SECONDS = 120.0


def start_warehouse(settings: Settings) -> Warehouse:
    """The warehouse, started when it is the embedded one, with the `cs` schema up to date."""
    if settings.database_url is None:
        embedded_server(settings).start()
    warehouse = locate(settings)
    migrate(warehouse)
    return warehouse


def environment_for(settings: Settings, warehouse: Warehouse) -> dict[str, str]:
    """Variables with which Dagster's processes and ours find the same database and instance."""
    return {
        f"{PREFIX}HOME": str(settings.home.resolve()),
        f"{PREFIX}DATABASE_URL": warehouse.url,
        "DAGSTER_HOME": str(settings.dagster_home.resolve()),
    }


def prepare_dagster_home(settings: Settings) -> None:
    """The folder for DAGSTER_HOME, holding the project's dagster.yaml, or where a broker is set that of Celery."""
    if not settings.home.exists():
        make_private(settings.home, is_entered=True)
    make_private(settings.dagster_home)
    names = (
        ("dagster.yaml",) if settings.celery_broker is None else ("deploy/dagster.celery.yaml", "dagster.celery.yaml")
    )
    found = next(PROJECT / name for name in names if (PROJECT / name).exists())  # in a wheel all stand side by side
    beside = settings.dagster_home / f"dagster.yaml.{os.getpid()}"
    shutil.copyfile(found, beside)
    beside.replace(settings.dagster_home / "dagster.yaml")  # others may be reading it


def start_all(settings: Settings) -> None:
    """Start what is not running yet, and wait until the UI answers."""
    with console.status("Starting PostgreSQL"):
        warehouse = start_warehouse(settings)
        require_usable(warehouse)
        prepare_dagster_home(settings)
    environment = os.environ | environment_for(settings, warehouse)
    processes = Processes(settings.home)
    _refuse_a_second_daemon(warehouse, processes)
    make_private(settings.captures)
    write_workspace(settings)
    code_server, *others = services_to_keep(settings)
    with console.status("Loading the code"):
        processes.start(code_server, environment)
        _wait_until("The code server", [CODE_SERVER], lambda: _listens(socket_of(settings)), processes)
    for service in (*others, Service(WATCHDOG, ("-m", "cs_pipeline.cli.watchdog"))):
        processes.start(service, environment)
    with console.status("Starting the Dagster UI and daemon"):
        needed = [name for name in STOPPED_IN_TURN if name != SLACK]  # without clicks all else goes on
        _wait_until("The Dagster UI", needed, lambda: _answers(f"{settings.ui_url}/server_info"), processes)
    say_done(f"PostgreSQL         {warehouse.location}")
    say_done(f"Dagster UI         {settings.ui_url}")
    say_done(f"Dagster daemon     {processes.log(DAEMON)}")
    say_done(f"Customer success   {settings.site_url}")
    if why_not := why_not_loaded(settings):
        console.print(marked("[red]✗[/] The code does not load, so nothing runs by itself: {}", why_not))
    console.print(marked("Delivery is [bold]{}[/]. Stop with [bold]cs-pipeline down[/].", settings.delivery))


def stop_all(settings: Settings) -> None:
    """Stop all of it cleanly; says what was not running."""
    processes = Processes(settings.home)
    for name in STOPPED_IN_TURN:
        if name == SLACK and not processes.is_wanted(name):
            continue
        stopped = processes.stop(name)
        _say_stopped(name, stopped)
    if settings.database_url is None:
        _say_stopped("PostgreSQL", embedded_server(settings).stop())


def _say_stopped(name: str, stopped: bool) -> None:
    if stopped:
        say_done(f"{name} stopped")
    else:
        console.print(f"  {name} was not running")


def services_to_keep(settings: Settings) -> list[Service]:
    """What is started again, by the watchdog, when it ends by itself; first what the others need."""
    workspace = str(settings.dagster_home.resolve() / "workspace.yaml")
    ui = urlsplit(settings.ui_url)
    slack = Service(SLACK, ("-m", "cs_pipeline.answers.slack_listener"))
    return [
        Service(CODE_SERVER, ("-m", "cs_pipeline.cli.code_server")),
        Service(
            WEBSERVER,
            (
                "-m", "cs_pipeline.cli.webserver", "-w", workspace,
                "-h", ui.hostname or "127.0.0.1", "-p", str(ui.port or 3000),
            ),
        ),
        Service(DAEMON, ("-m", "cs_pipeline.cli.daemon", "-w", workspace)),
        Service(SITE, ("-m", "cs_pipeline.site.server")),
        *([slack] if settings.slack_app_token and settings.slack_bot_token else []),
    ]  # fmt: skip


def _refuse_a_second_daemon(warehouse: Warehouse, processes: Processes) -> None:
    """Two daemons on one database would launch everything twice."""
    with warehouse.session() as session:
        daemon = process_of(session, DAEMON)
    if daemon and daemon.is_alive and daemon.pid != processes.pid(DAEMON):
        raise UserError(
            f"A daemon is at work on {warehouse.location} already: {daemon.words}. Two would launch everything twice. "
            "Stop that one first (`cs-pipeline down` with its CS_PIPELINE_HOME), or use another database."
        )


def _wait_until(what: str, services: Iterable[str], is_ready: Callable[[], bool], processes: Processes) -> None:
    """Wait until `what` is ready; raises UserError when one of `services` ends, or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for name in services:
            processes.require(name)
        if is_ready():
            return
        time.sleep(0.5)
    raise UserError(f"{what} did not answer within {START_SECONDS:.0f} s; see the logs in {processes.home / 'logs'}")


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
