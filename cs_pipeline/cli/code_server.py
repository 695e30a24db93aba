"""Load our code once, for the UI and the daemon alike: `python -m cs_pipeline.cli.code_server`.

Without it the daemon starts a code server of its own anew every minute, and the UI has another. It is
`dagster code-server start`, on a socket in the home folder that only we may open. That is two processes: one answers
and passes on to the other, in which the code is loaded, so that `Reload` in the UI can start the second anew. Should
the second be killed, Dagster lets the first answer with errors for ever; here it ends, and the watchdog starts both.
Should the second find no database when it loads the code, it says so for ever, though the database comes back; here the
code is loaded again then. An error of the code itself stays, and the UI shows it, until somebody puts it right.
"""

import hashlib
import logging
import os
import sys
import tempfile
import threading
import time
from importlib.metadata import entry_points
from pathlib import Path

import yaml

from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import make_private
from cs_pipeline.project_folder import PROJECT
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.locate import locate

LOCATION = "cs_pipeline"
"""Name of the code location, as in `workspace.yaml`: the history of runs, schedules and sensors hangs on it."""
LONGEST_SOCKET = 100  # bytes; systems allow 104 to 108
ASKED_EVERY = 5.0  # seconds
LONGEST_PAUSE = 300.0  # between attempts to load the code
LOST_AFTER = 3  # questions in a row without an answer

log = logging.getLogger(__name__)


def socket_of(settings: Settings) -> Path:
    """Where the code server listens: in the home folder, or where its path is too long for a socket, beside others'."""
    socket = settings.home.resolve() / "run" / "code-server.sock"
    if len(os.fsencode(socket)) <= LONGEST_SOCKET:
        return socket
    name = hashlib.sha256(os.fsencode(settings.home.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cs_pipeline_{name}" / "code-server.sock"


def write_workspace(settings: Settings) -> Path:
    """The workspace of the UI and the daemon: the code server, instead of one of each one's own."""
    server = {"socket": str(socket_of(settings)), "location_name": LOCATION}
    workspace = settings.dagster_home / "workspace.yaml"
    workspace.write_text(
        "# Written by `cs-pipeline up`.\n" + yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8"
    )
    return workspace


def main() -> None:
    """Be the code server until a signal ends it, or until the process in which the code is loaded is gone."""
    settings = load_settings()
    socket = socket_of(settings)
    _make_ours(socket.parent)
    socket.unlink(missing_ok=True)  # of a server that was killed: what waits for this one must not find it
    threading.Thread(target=_watch, args=(socket, locate(settings)), daemon=True, name="watch").start()
    from cs_pipeline.orchestration.code_server_client import ask_less_often
    from cs_pipeline.orchestration.json_logs import arguments_for_logs

    ask_less_often()
    sys.argv = [
        "dagster", "code-server", "start",
        "--socket", str(socket),
        "--location-name", LOCATION,
        "--module-name", "cs_pipeline.definitions",
        "--working-directory", str(PROJECT),
        "--inject-env-vars-from-instance",
        *arguments_for_logs(settings),
    ]  # fmt: skip
    (command,) = entry_points(group="console_scripts", name="dagster")
    command.load()()


def _make_ours(folder: Path) -> None:
    make_private(folder)
    if folder.stat().st_uid != os.geteuid():
        raise UserError(f"{folder} belongs to somebody else; remove it, or set TMPDIR to a folder of your own")


def _watch(socket: Path, warehouse: Warehouse) -> None:
    """Ask for ever whether the code is loaded. Ends this process when nobody answers any more."""
    while not socket.exists():  # the code is still being loaded
        time.sleep(ASKED_EVERY)
    from cs_pipeline.orchestration.code_server_client import load_again, state_of_code

    pause, unanswered = ASKED_EVERY, 0
    while unanswered < LOST_AFTER:
        time.sleep(pause)
        state = state_of_code(socket)
        unanswered = 0 if state.is_answered else unanswered + 1
        if not state.may_load_later:
            pause = ASKED_EVERY
        elif warehouse.is_answering:
            log.warning("the code is loaded again, because it was not: %s", state.why_not_loaded)
            pause = min(2 * pause, LONGEST_PAUSE)
            load_again(socket)
    log.error("the process in which the code is loaded has ended")
    os._exit(1)  # runs that it started go on; a clean end would wait for them


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
