"""What a piece of work took: wall time, and the processor time of everybody who took part, PostgreSQL included.

Processor time is what ratios are made of: it hardly depends on who else uses the machine.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CLOSING, LONGEST_CLOSING = 0.1, 60.0  # seconds between looks whether the server is rid of a connection, and at most
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Took:
    """Seconds of wall time, and of processor time of this process, its children and the server's connections."""

    wall: float = 0.0
    processor: float = 0.0


def processor_of(took: Took) -> float:
    """What the least of several is chosen by."""
    return took.processor


def processor_of_step(run: tuple[Took, object]) -> float:
    """The same of a step and what it printed."""
    return run[0].processor


@contextmanager
def measure(server: Path) -> Iterator[Took]:
    """Measure a block that opens and closes its connections to the server with that folder (Linux only)."""
    took, before = Took(), _connections(server)
    wall, processor = time.perf_counter(), _processor_seconds(server)
    yield took
    took.wall = time.perf_counter() - wall
    until = time.monotonic() + LONGEST_CLOSING
    time.sleep(CLOSING)
    while _connections(server) - before and time.monotonic() < until:  # a process's time is known once it has ended
        time.sleep(CLOSING)
    took.processor = _processor_seconds(server) - processor


def _processor_seconds(server: Path) -> float:
    ours = os.times()
    fields = _fields(_postmaster(server))
    of_connections = (int(fields[13]) + int(fields[14])) / TICKS  # cutime and cstime of proc(5)
    return ours.user + ours.system + ours.children_user + ours.children_system + of_connections


def processor_seconds_so_far(server: Path) -> float:
    """That of this process, and of the server with that folder with its connections that are still open (Linux)."""
    postmaster = _postmaster(server)
    ended = _fields(postmaster)[13:15]
    ours, living = time.process_time(), [_fields(child)[11:13] for child in _children(postmaster)]
    return ours + sum(map(int, ended + [ticks for each in living for ticks in each])) / TICKS


def _connections(server: Path) -> set[str]:
    """The server's processes but for those that it starts of its own accord."""
    found: set[str] = set()
    for child in _children(_postmaster(server)):
        with suppress(FileNotFoundError):
            if b"autovacuum" not in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found


def _postmaster(server: Path) -> str:
    return (server / "data" / "postmaster.pid").read_text().split()[0]


def _children(pid: str) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _fields(pid: str) -> list[str]:
    """Those of /proc/<pid>/stat after the name of the command."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
