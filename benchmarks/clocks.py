"""What a piece of work took: wall time, and the processor time of everybody who took part, PostgreSQL included.

Processor time is what ratios are made of: it hardly depends on who else uses the machine.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLOSING = 0.3  # seconds for the server to see that a connection is gone; only then is its time known
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Took:
    """Seconds of wall time, and of processor time of this process, its children and the server's connections."""

    wall: float = 0.0
    processor: float = 0.0


@contextmanager
def measure(server: Path) -> Iterator[Took]:
    """Measure a block that opens and closes its connections to the server with that folder (Linux only)."""
    took = Took()
    wall, processor = time.perf_counter(), _processor_seconds(server)
    yield took
    took.wall = time.perf_counter() - wall
    time.sleep(CLOSING)
    took.processor = _processor_seconds(server) - processor


def _processor_seconds(server: Path) -> float:
    ours = os.times()
    postmaster = (server / "data" / "postmaster.pid").read_text().split()[0]
    fields = _fields(postmaster)
    of_connections = (int(fields[13]) + int(fields[14])) / TICKS  # cutime and cstime of proc(5)
    return ours.user + ours.system + ours.children_user + ours.children_system + of_connections


def processor_seconds_so_far(server: Path) -> float:
    """That of this process, and of the server with that folder with its connections that are still open (Linux)."""
    postmaster = (server / "data" / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    ended = _fields(postmaster)[13:15]
    ours, living = time.process_time(), [_fields(child)[11:13] for child in children]
    return ours + sum(map(int, ended + [ticks for each in living for ticks in each])) / TICKS


def _fields(pid: str) -> list[str]:
    """Those of /proc/<pid>/stat after the name of the command."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
