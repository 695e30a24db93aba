"""A dbt that is loaded already: half of what a small run of dbt costs is to import it.

One process of the session has imported dbt, and forks for every call. The command that stands in for `dbt` hands it
arguments, environment, folder and streams, and ends as the fork ends; so a run is a process of its own, as always.
"""

import gc
import json
import os
import signal
import socket
import sys
import threading
from multiprocessing import get_context
from pathlib import Path

from cs_pipeline.warehouse import dbt_cli

ROOT = Path(__file__).parents[2]
ASK_WHETHER_NEEDED = 5.0  # seconds

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

    name_no_source_of_flags()
    dbt.mp_context._MP_CONTEXT = get_context("fork")  # one that spawns starts a process to look after its locks
    gc.collect()
    gc.freeze()
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
                run(stream)


def run(stream: socket.socket) -> None:
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
        cli()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        stream.sendall(bytes([code]))
        os._exit(code)


def end_with(stream: socket.socket) -> None:
    """Whoever kills the command means dbt."""
    stream.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


def name_no_source_of_flags() -> None:
    """dbt asks for every flag of behaviour which module wants to know, over all modules that are loaded: half of a
    small run where many are. Only a warning would name it.
    """
    from dbt_common.behavior_flags import BehaviorFlagRendered

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
