"""Keep connections to the warehouse open between requests: to open one costs more than most pages ask for."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from adbc_driver_manager import dbapi as adbc
from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.session_settings import settings_of_a_session

KEPT = 8
"""Connections that wait for the next request; more are opened when more people look at once, and closed afterwards."""


class PooledWarehouse(Warehouse):
    """A warehouse whose sessions, of both kinds, are used again. What is read in one is one transaction, as ever."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._sessions: queue.LifoQueue[Session] = queue.LifoQueue(KEPT)
        self._arrows: queue.LifoQueue[adbc.Connection] = queue.LifoQueue(KEPT)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """As of `Warehouse`, on a connection that may have been used before."""
        connection = self._kept_session()
        if connection is None:
            connection = self.connect()
            connection.set_session(isolation_level="READ COMMITTED")
        try:
            yield connection
            connection.commit()
        except BaseException as error:
            if not connection.closed:
                connection.rollback()
            self._raise_in_words(error)
            raise
        finally:
            self._put_back(connection)

    @contextmanager
    def arrow(self) -> Iterator[adbc.Connection]:
        """As of `Warehouse`, on a connection that may have been used before."""
        connection = self._kept_arrow()
        try:
            yield connection
            connection.commit()
        except BaseException as error:
            connection.rollback()
            self._raise_in_words(error)
            raise
        finally:
            try:
                self._arrows.put_nowait(connection)
            except queue.Full:
                connection.close()

    def close(self) -> None:
        """Close what is kept."""
        for kept in (self._sessions, self._arrows):
            while not kept.empty():
                kept.get_nowait().close()

    def _kept_session(self) -> Session | None:
        """A connection whose server still answers; those of a server that was started again are thrown away."""
        while True:
            try:
                connection = self._sessions.get_nowait()
            except queue.Empty:
                return None
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
                connection.rollback()
            except psycopg2.Error:
                connection.close()
            else:
                return connection

    def _put_back(self, connection: Session) -> None:
        if connection.closed:
            return
        try:
            self._sessions.put_nowait(connection)
        except queue.Full:
            connection.close()

    def _kept_arrow(self) -> adbc.Connection:
        while True:
            try:
                connection = self._arrows.get_nowait()
            except queue.Empty:
                break
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
            except adbc.Error:
                connection.close()
            else:
                return connection
        connection = self._connect_arrow()
        with connection.cursor() as cursor:
            for statement in settings_of_a_session(self._address):
                cursor.execute(statement)
        connection.commit()
        return connection
