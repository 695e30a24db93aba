"""A session that builders share while a test goes on: to connect costs far more than most of their statements do."""

import os

import psycopg2
from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.connection import Warehouse

_kept: dict[int, tuple[Warehouse, Session]] = {}  # by process, of which each has one at most


def kept_session(warehouse: Warehouse) -> Session:
    """One that commits every statement, kept until another database is asked for or the server ends it.

    A database is dropped whoever still reads it; who copies one lets go of it first.
    """
    of, session = _kept.get(os.getpid(), (None, None))
    if session and of and of.url == warehouse.url and _answers(session):
        return session
    let_go()
    session = warehouse.connect()
    session.autocommit = True
    _kept[os.getpid()] = warehouse, session
    return session


def run(warehouse: Warehouse, sql: str, *parameters: object) -> list[tuple]:
    """Run a statement, in a transaction of its own, and return its rows."""
    with kept_session(warehouse).cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return cursor.fetchall() if cursor.description else []


def let_go(database: str | None = None) -> None:
    """Close what is kept, of the database of that name where it is given."""
    of, session = _kept.get(os.getpid(), (None, None))
    if session and of and database in (None, of.database):
        del _kept[os.getpid()]
        session.close()


def _answers(session: Session) -> bool:
    try:
        with session.cursor() as cursor:
            cursor.execute("select 1")
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        return False
    return True
