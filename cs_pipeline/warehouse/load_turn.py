"""Hold the turn to load while a folder's tables are loaded on several connections.

Load ids become visible in ascending order: which rows were there when a week was scored is told by the newest of them.
One connection keeps other loads away from the first table to the last, and hands out the ids beforehand; who loads a
table takes part in that turn. In which order the transactions of one turn end is up to who holds it (`load`).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class LoadTurn:
    """A turn to load. `holder`: the server's process that holds it. `load_ids`: reserved, ascending."""

    holder: int
    load_ids: tuple[int, ...]

    def take_part(self, cursor: Cursor) -> None:
        """Keep other loads away until this transaction ends, too. Raises UserError when the turn is lost.

        Should the holder's connection break, the next load waits for the transactions that take part, and no other
        begins: else ids would become visible behind those of that load.
        """
        cursor.execute(f"select pg_advisory_xact_lock_shared({AdvisoryLock.TABLE_OF_LOAD.value})")
        cursor.execute(
            "select exists (select from pg_locks where locktype = 'advisory' and granted and pid = %s and objid = %s)",
            (self.holder, AdvisoryLock.LOAD.value),
        )
        if cursor.fetchone() != (True,):
            raise UserError(
                "The connection to PostgreSQL that kept other loads away was closed. "
                "Tables that were loaded stay; load the folder again for the rest."
            )


@contextmanager
def turn_to_load(warehouse: Warehouse, loads: int) -> Iterator[LoadTurn]:
    """Wait until no other load is at work; keep them away within, with as many load ids as there are `loads`."""
    with closing(warehouse.connect()) as session, session.cursor() as cursor:  # it writes nothing that could be lost
        wait_for_loads(cursor)
        cursor.execute(
            "select pg_backend_pid(), "
            "array(select nextval(pg_get_serial_sequence('cs.loads', 'load_id')) from generate_series(1, %s))",
            (loads,),
        )
        holder, load_ids = cursor.fetchone() or (0, [])
        yield LoadTurn(holder, tuple(load_ids))


def wait_for_loads(cursor: Cursor) -> None:
    """Wait until no other load is at work, and keep them away until this transaction ends."""
    take_lock(cursor, AdvisoryLock.LOAD)
    wait_for_tables(cursor)


def wait_for_tables(cursor: Cursor) -> None:
    """Wait until none of the transactions is open that take part in a turn now, but for this one."""
    table = AdvisoryLock.TABLE_OF_LOAD.value
    cursor.execute(f"select pg_advisory_lock({table}), pg_advisory_unlock({table})")
