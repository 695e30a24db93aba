"""Services of ours are known by their process, whatever it is called and however soon somebody looks."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_pipeline.cli.processes import Processes, Service
from cs_pipeline.errors import UserError

SLEEPER = Service("messages", ("-c", "import os; os.execv('/bin/sleep', ['sleep', '60'])"))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.stop("messages")


def wait_until_named(pid: int, name: bytes) -> None:
    while not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(name):
        time.sleep(0.01)


def test_a_service_runs_whatever_its_command_line_says(processes: Processes) -> None:
    """Read at the wrong moment, a command line is empty."""
    processes.start(SLEEPER, dict(os.environ))
    processes.require("messages")
    pid = processes.pid("messages")
    assert pid
    wait_until_named(pid, b"sleep")
    processes.require("messages")
    assert processes.stop("messages")
    assert not processes.is_wanted("messages")


def test_a_killed_service_does_not_run_and_is_still_wanted(processes: Processes) -> None:
    processes.start(SLEEPER, dict(os.environ))
    pid = processes.pid("messages")
    assert pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert processes.pid("messages") is None
    assert processes.is_wanted("messages")
    with pytest.raises(UserError, match="messages ended right after its start"):
        processes.require("messages")


def test_a_pid_that_another_process_got_is_not_the_service(processes: Processes) -> None:
    (processes.home / "run").mkdir()
    (processes.home / "run" / "messages.pid").write_text(f"{os.getpid()} 1")
    assert processes.pid("messages") is None
    assert not processes.stop("messages")
