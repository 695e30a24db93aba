"""Run the selects of mappings, with rights to read and none to change anything.

A mapping is somebody's SQL. It is read in a transaction that only reads, by PostgreSQL's role `pg_read_all_data` where
the pipeline's own role may become that, so that functions in it have no more rights either; its rows travel through
this process to the session that writes. Functions of PostgreSQL that do more than compute are refused when a mapping
is installed: from within a statement, some could end both bounds.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.incoming import COPY_BYTES

READER = "pg_read_all_data"
# Volatile and yet without an effect.
_HARMLESS = ("random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7", "clock_timestamp", "timeofday")


def functions_with_effects(cursor: Cursor, view: str) -> list[str]:
    """The functions of PostgreSQL in a view that may do more than compute: read files, set, notify, run SQL and so on.

    The stored query is looked through, because PostgreSQL records no dependency on its own functions.
    """
    cursor.execute(
        "select distinct proname from pg_rewrite, "
        "regexp_matches(ev_action::text, ':(?:funcid|aggfnoid|winfnoid|opfuncid) (\\d+)', 'g') as found (oids) "
        "inner join pg_proc on pg_proc.oid = found.oids[1]::oid "
        "where ev_class = %s::regclass and pronamespace = 'pg_catalog'::regnamespace and provolatile = 'v' "
        "and proname <> all(%s) order by proname",
        (view, list(_HARMLESS)),
    )
    return [name for (name,) in cursor.fetchall()]


def reads_as_reader(cursor: Cursor) -> bool:
    """Whether this role may become the one that only reads."""
    may = "set" if cursor.connection.server_version >= 160_000 else "member"
    cursor.execute("select pg_has_role(oid, %s) from pg_roles where rolname = %s", (may, READER))
    return cursor.fetchone() == (True,)


@contextmanager
def _reading(warehouse: Warehouse, since: str) -> Iterator[Cursor]:
    with closing(warehouse.connect()) as connection, connection.cursor() as cursor:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("set local datestyle = 'ISO, YMD'; set local work_mem = '256MB'")
        cursor.execute("select set_config('cs_pipeline.since', %s, true)", (since,))
        if reads_as_reader(cursor):
            cursor.execute(f"set local role {READER}")
        yield cursor
        connection.rollback()


def copy_rows(
    warehouse: Warehouse, select: str, parameters: Mapping[str, str], writer: Cursor, target: str, *, since: str = ""
) -> int:
    """Write the rows of `select`, which is only read with, into `target`, which has its columns; how many they are.
    `since`: what `mapping.since()` is to say; empty: from the beginning.

    Raises PostgreSQL's error about the select.
    """
    problems: list[BaseException] = []
    source, sink = os.pipe()
    with open(source, "rb") as rows:  # noqa: PTH123 - a pipe has no path

        def read() -> None:
            try:
                with open(sink, "wb") as end, _reading(warehouse, since) as cursor:  # noqa: PTH123
                    said = cursor.mogrify(select, parameters).decode()
                    cursor.copy_expert(f"copy ({said}) to stdout (format binary)", end, COPY_BYTES)
            except BaseException as error:  # raised below, in the caller's thread
                problems.append(error)

        reader = threading.Thread(target=read, name=f"reads for {target}")
        reader.start()
        try:
            writer.copy_expert(f"copy {target} from stdin (format binary)", rows, COPY_BYTES)
        finally:
            rows.close()  # whoever still writes into the pipe ends
            reader.join()
            if problems and not isinstance(problems[0], BrokenPipeError):
                raise problems[0]
    return writer.rowcount
