"""Who does a task is known by a row; whether that process lives, by the process itself, however it ended."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cs_pipeline.warehouse import living
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import Process, StillDone, doing, process_of

WORKER = """
import sys
from pathlib import Path
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.living import doing
with doing(Warehouse(sys.argv[1]), "daemon", Path("/its/home")):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(warehouse: Warehouse) -> Iterator[subprocess.Popen[str]]:
    """Another process that is the daemon."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, warehouse.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


def holder(warehouse: Warehouse, task: str = "daemon") -> Process | None:
    with warehouse.session() as session:
        return process_of(session, task)


def test_a_second_one_is_refused_and_the_first_is_named(warehouse: Warehouse, worker: subprocess.Popen[str]) -> None:
    named = f"daemon is there already: process {worker.pid} on .*, with home /its/home"
    with pytest.raises(StillDone, match=named), doing(warehouse, "daemon", Path("elsewhere")):
        pass


def test_a_killed_process_is_dead_at_once_though_nobody_reaped_it(
    warehouse: Warehouse, worker: subprocess.Popen[str]
) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    found = holder(warehouse)
    assert found
    assert found.is_alive, "a paused process lives"
    os.kill(worker.pid, signal.SIGKILL)
    os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # what is left is a zombie
    assert not found.is_alive
    with doing(warehouse, "daemon", Path("elsewhere")):
        taken = holder(warehouse)
        assert taken
        assert taken.pid == os.getpid()


def test_who_ends_well_leaves_no_row(warehouse: Warehouse, worker: subprocess.Popen[str]) -> None:
    worker.communicate("")
    assert holder(warehouse) is None


def test_a_pid_that_is_used_again_is_another_process(warehouse: Warehouse) -> None:
    with doing(warehouse, "daemon", Path("home")):
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("update cs.living_processes set process_started = process_started - 1")
        found = holder(warehouse)
        assert found
        assert not found.is_alive


def seen_from_elsewhere(warehouse: Warehouse, seconds_ago: int) -> bool:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "update cs.living_processes set place = 'another host', "
            "seen_at = clock_timestamp() - make_interval(secs => %s)",
            [seconds_ago],
        )
    found = holder(warehouse)
    assert found
    return found.is_alive


def test_on_another_host_silence_decides(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with doing(warehouse, "daemon", Path("home")):
        assert seen_from_elsewhere(warehouse, 45)
        monkeypatch.setattr(living, "DEAD_AFTER", 1.0)  # the server of the tests may be younger than a minute
        assert not seen_from_elsewhere(warehouse, 3600)


def test_who_was_taken_for_dead_hears_that_another_took_over(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "RENEWED_EVERY", 0.05)
    lost = threading.Event()
    with doing(warehouse, "daemon", Path("home"), on_lost=lost.set):
        seen_from_elsewhere(warehouse, 0)
        assert lost.wait(10)
