"""Load one table beside others: on a connection and in a thread of its own, committed after all of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.load_report import OnProgress, Progress, TableReport
from cs_pipeline.warehouse.load_turn import wait_for_tables

BETWEEN_TABLES = 0.05
"""Seconds in which the next table begins after another."""
LoadsATable = Callable[[Session, OnProgress], TableReport]


class GivenUp(Exception):
    """What ends the work of a table whose load was given up; nobody is told of it."""


class Beside:
    """A table that is loaded beside others. Begins at `start`; `end` lets it commit."""

    def __init__(self, warehouse: Warehouse, thread: ThreadPoolExecutor, loads: LoadsATable, on_progress: OnProgress):
        self._warehouse = warehouse
        self._thread = thread
        self._loads = loads
        self._on_progress = on_progress
        self._session: Session | None = None
        self._may_end, self._is_given_up = Event(), Event()
        self._future: Future[TableReport] | None = None

    def start(self) -> None:
        """Begin, unless it has begun. Raises what it failed with, once it has."""
        if self._future is None:
            self._future = self._thread.submit(self._run)
        elif self._future.done():
            self._future.result()

    def end(self) -> TableReport:
        """Let it commit, and wait for that. Raises what it failed with."""
        self.start()
        self._may_end.set()
        assert self._future is not None
        return self._future.result()

    def give_up(self) -> None:
        """Have it undo all that it did, now."""
        self._is_given_up.set()
        self._may_end.set()
        if self._session is not None and not self._session.closed:
            self._session.cancel()

    def _run(self) -> TableReport:
        with self._warehouse.session() as session:
            self._session = session
            done = self._loads(session, self._hear)
            self._wait_for_others(session)
        return done

    def _wait_for_others(self, session: Session) -> None:
        """PostgreSQL sees this wait: should another table have to wait for this one, it ends both waits."""
        with session.cursor() as cursor:
            while not self._may_end.wait(BETWEEN_TABLES):
                wait_for_tables(cursor)
        self._go_on()

    def _hear(self, now: Progress) -> None:
        self._go_on()
        self._on_progress(now)

    def _go_on(self) -> None:
        if self._is_given_up.is_set():
            raise GivenUp


@contextmanager
def beside(warehouse: Warehouse, loads: LoadsATable, on_progress: OnProgress) -> Iterator[Beside]:
    """A table to be loaded beside what happens within, and given up when that fails."""
    with ThreadPoolExecutor(1, "load") as thread:
        table = Beside(warehouse, thread, loads, on_progress)
        try:
            yield table
        except BaseException:
            table.give_up()
            raise
