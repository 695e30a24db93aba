"""Say which of our processes live: a row of cs.living_processes for each task, renewed by the process that does it.

Whoever looks can tell a process that is busy or paused from one that is gone, whatever ended it, without asking the
process that started it. On the same host the process table decides, at once; from elsewhere (another container or
machine) the age of the row does. A row rather than a session lock: it says who, survives a restart of the database,
and works behind a pooler.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.connection import Warehouse

RENEWED_EVERY = 10.0  # seconds
DEAD_AFTER = 60.0
"""Seconds without a sign after which a process of another host is taken for dead: several that went missing in turn."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Process:
    """A process as its row knows it. `seconds_unseen` are those since it, and the database, were last there."""

    task: str
    place: str
    host: str
    pid: int
    process_started: int
    home: str
    since: datetime
    seconds_unseen: float

    @property
    def is_alive(self) -> bool:
        """Whether it is still there."""
        if self.place == this_place():
            return start_of(self.pid) == self.process_started
        return self.seconds_unseen < DEAD_AFTER

    @property
    def words(self) -> str:
        """Which it is, for a person."""
        return f"process {self.pid} on {self.host}, with home {self.home}, since {self.since:%Y-%m-%d %H:%M} UTC"


class StillDone(UserError):
    """Another living process does the task already."""

    def __init__(self, process: Process) -> None:
        super().__init__(f"{process.task} is there already: {process.words}")
        self.process = process


def process_of(session: Session, task: str) -> Process | None:
    """Who does `task`, living or dead; None when nobody said so."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                task, place, host, pid, process_started, home, since at time zone 'UTC',
                extract(epoch from clock_timestamp() - greatest(seen_at, pg_postmaster_start_time()))::float
            from cs.living_processes
            where task = %s
            """,
            [task],
        )
        row = cursor.fetchone()
    return Process(*row) if row else None


@contextmanager
def doing(warehouse: Warehouse, task: str, home: Path, on_lost: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Within, this process is known to do `task`. `on_lost` is called when another one has taken it over.

    Raises StillDone when a living process does it already.
    """
    with warehouse.session() as session:
        _claim(session, task, home)
    ended = threading.Event()
    threading.Thread(target=_renew, args=(warehouse, task, ended, on_lost), daemon=True, name=f"living {task}").start()
    try:
        yield
    finally:
        ended.set()
        _leave(warehouse, task)


def this_place() -> str:
    """The host, its boot and the process namespace: where pids of this process's neighbours mean something."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # no Linux: a place of its own, so that the age of the row decides
        return f"{socket.gethostname()} {os.getpid()}"


def start_of(pid: int) -> int | None:
    """When a process of this place started, in clock ticks after boot; None when there is none, or only its remains.

    0 where the system does not say.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() or not _is_there(pid) else 0
    return None if fields[0] in "ZX" else int(fields[19])


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _claim(session: Session, task: str, home: Path) -> None:
    with session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('cs.living_processes'), hashtext(%s))", [task])
        holder = process_of(session, task)
        if holder and holder.is_alive and not _is_this(holder):
            raise StillDone(holder)
        cursor.execute(
            """
            insert into cs.living_processes (task, place, host, pid, process_started, home, since, seen_at)
            values (%s, %s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp())
            on conflict (task) do update set
                place = excluded.place,
                host = excluded.host,
                pid = excluded.pid,
                process_started = excluded.process_started,
                home = excluded.home,
                since = excluded.since,
                seen_at = excluded.seen_at
            """,
            [task, this_place(), socket.gethostname(), os.getpid(), start_of(os.getpid()), str(home.resolve())],
        )
        cursor.execute("delete from cs.living_processes where seen_at < clock_timestamp() - interval '30 days'")


def _renew(warehouse: Warehouse, task: str, ended: threading.Event, on_lost: Callable[[], None]) -> None:
    """Renew the row until the task has ended. A database that is away for a while is waited for."""
    while not ended.wait(RENEWED_EVERY):
        try:
            with warehouse.session() as session, session.cursor() as cursor:
                cursor.execute(f"update cs.living_processes set seen_at = clock_timestamp() {_OURS}", _ours(task))
                is_lost = cursor.rowcount == 0
        except (UserError, psycopg2.Error):
            continue
        if is_lost and not ended.is_set():
            log.warning("%s has been taken over by another process", task)
            on_lost()
            return


def _leave(warehouse: Warehouse, task: str) -> None:
    try:
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute(f"delete from cs.living_processes {_OURS}", _ours(task))
    except (UserError, psycopg2.Error) as error:
        log.warning("%s has ended; its row stays until somebody looks: %s", task, error)


_OURS = "where task = %s and place = %s and pid = %s and process_started = %s"


def _ours(task: str) -> list[object]:
    return [task, this_place(), os.getpid(), start_of(os.getpid())]


def _is_this(process: Process) -> bool:
    return process.place == this_place() and process.pid == os.getpid()
