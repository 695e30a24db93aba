"""A dbt that is loaded already and has parsed the project: most of what a small run of dbt costs.

One process of the session has imported dbt, and forks for every call. The command that stands in for `dbt` hands it
arguments, environment, folder and streams, and ends as the fork ends; so a run is a process of its own, as always.

dbt parses the whole project anew (6 seconds of a processor) whenever it meets another database than the last time,
and nearly every test has a database of its own. So a run of our project, as its files were when the session began, is
given what was parsed then, moved to its database. Any other is left to dbt.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cs_pipeline.warehouse import dbt_cli
from tests.builders.garbage import look_for_garbage_seldom

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

ROOT = Path(__file__).parents[2]
ASK_WHETHER_NEEDED = 5.0  # seconds
RUNS = ("build", "run", "test", "compile")
"""Commands that read a parsed project and leave none."""

COMMAND = """#!{python} -IS
import fcntl, json, os, socket, subprocess, sys, time
socket_file = {socket!r}
def connected():
    stream = socket.socket(socket.AF_UNIX)
    stream.connect(socket_file)
    return stream
try:
    stream = connected()
except OSError:
    with open(socket_file + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            stream = connected()
        except OSError:
            loading = subprocess.Popen(
                [{python!r}, "-m", "tests.builders.warm_dbt", socket_file, {session!r}], cwd={root!r}, pass_fds=(),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                env={{"PATH": os.defpath, "PYTHONPATH": {root!r}, "LC_ALL": "C.UTF-8"}},
            )
            while not os.path.exists(socket_file):
                if loading.poll() is not None:
                    sys.exit("dbt cannot be loaded")
                time.sleep(0.05)
            stream = connected()
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(stream, [len(asked).to_bytes(8, "big")], [0, 1, 2])
stream.sendall(asked)
code = stream.recv(1)
sys.exit(code[0] if code else 70)
"""


def stand_in_for_dbt(shared: Path) -> None:
    """From now on this process takes the command in `shared`, the folder of the session, for dbt."""
    command = shared / "dbt"
    dbt_cli.dbt_executable = lambda: str(command)


def write_command(shared: Path) -> None:
    """Put the command into the folder of the session, which lasts as long as this process."""
    command = shared / "dbt"
    words = {"python": sys.executable, "socket": str(shared / "dbt.socket"), "session": str(os.getpid())}
    command.write_text(COMMAND.format(**words, root=str(ROOT)))
    command.chmod(0o755)


def serve(socket_file: str, session: int) -> None:
    """Load dbt, then fork for whoever asks, for as long as the process `session` is there."""
    import agate  # noqa: F401
    import dbt.adapters.postgres
    import dbt.cli.main
    import dbt.mp_context

    do_not_ask_dbt_for_what_nobody_reads()
    dbt.mp_context._MP_CONTEXT = get_context("fork")  # one that spawns starts a process to look after its locks
    parsed_at, manifest = dbt_cli.project_changed_at(), parse()
    look_for_garbage_seldom()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{socket_file}.new")
    listener.listen(64)
    listener.settimeout(ASK_WHETHER_NEEDED)
    Path(f"{socket_file}.new").rename(socket_file)
    while Path(f"/proc/{session}").exists():
        try:
            stream, _ = listener.accept()
        except TimeoutError:
            continue
        with stream:
            if os.fork() == 0:
                listener.close()
                run(stream, manifest, parsed_at)


def parse() -> "Manifest":
    """The project, for no database in particular.

    A process of its own parses: dbt's parser starts threads, and a process that has them cannot be forked safely.
    """
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    project = str(dbt_cli.DBT_PROJECT)
    with tempfile.TemporaryDirectory() as scratch:
        if (parsing := os.fork()) == 0:
            places = ["--project-dir", project, "--profiles-dir", project, "--target-path", scratch]
            unread = ["--no-write-json", "--log-level-file", "none", "--log-path", scratch]
            dbtRunner().invoke(["--quiet", "parse", *places, *unread])
            os._exit(0)
        os.waitpid(parsing, 0)
        manifest = Manifest.from_msgpack((Path(scratch) / "partial_parse.msgpack").read_bytes())
    manifest.build_flat_graph()
    return manifest


def move(manifest: "Manifest", database: str) -> None:
    """Let the project be of another database."""
    for node in [*manifest.nodes.values(), *manifest.sources.values()]:
        if getattr(node, "relation_name", None):
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database


def run(stream: socket.socket, manifest: "Manifest", parsed_at: float) -> None:
    """In the fork: be the dbt that was asked for, and end."""
    from dbt.cli.main import cli

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(stream, 8, 3)
    asked = b""
    while len(asked) < int.from_bytes(length, "big"):
        asked += stream.recv(65_536)
    arguments, environment, folder = json.loads(asked)
    for number, given in enumerate(streams):
        os.dup2(given, number)
        os.close(given)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["dbt", *arguments]
    threading.Thread(target=end_with, args=(stream,), daemon=True).start()
    code = 1
    try:
        cli(obj=given_to(arguments, manifest, parsed_at))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        stream.sendall(bytes([code]))
        os._exit(code)


def given_to(arguments: Sequence[str], manifest: "Manifest", parsed_at: float) -> dict[str, Any] | None:
    """What dbt need not parse."""
    import dbt.task.runnable

    is_of_ours = str(dbt_cli.DBT_PROJECT) in arguments or os.environ.get("DBT_PROJECT_DIR") == str(dbt_cli.DBT_PROJECT)
    is_run = any(command in arguments for command in RUNS)
    is_elsewhere = "--vars" in arguments or os.environ.get("CS_PIPELINE_DBT_SCRATCH_SCHEMA")
    if not (is_of_ours and is_run) or is_elsewhere or dbt_cli.project_changed_at() > parsed_at:
        return None
    move(manifest, os.environ["CS_PIPELINE_DBT_DATABASE"])
    # Half a second for a file that nobody reads.
    dbt.task.runnable.write_manifest = lambda *_: None  # pyright: ignore[reportPrivateImportUsage]
    return {"manifest": manifest}


def end_with(stream: socket.socket) -> None:
    """Whoever kills the command means dbt."""
    stream.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


def do_not_ask_dbt_for_what_nobody_reads() -> None:
    """Half of a small run, and of a unit test.

    dbt asks for every flag of behaviour which module wants to know, over all modules that are loaded; only a warning
    would name it. And it takes SQL apart down to its expressions to find the first `with`, for which the outermost
    parentheses do.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from sqlparse.engine import grouping

    def in_parentheses(stmt: Any) -> Any:
        grouping.group_parenthesis(stmt)
        return stmt

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")
    grouping.group = in_parentheses


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
