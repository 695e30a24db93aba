"""Move rows that come again as another account's: a key is in one account only, and this is where it is kept so.

The primary keys of tables carry the account, so no index says it. Loads do, of which there is one at a time: a row
whose key is stored in another account leaves that before it is written, in the same transaction, and takes along what
did not come in.
"""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import ACCOUNT, LOAD_ID, SourceTable
from cs_pipeline.warehouse.incoming import Incoming

_MOVED = "cs_pipeline.rows_moved"
_LOAD = "cs_pipeline.load_id"
NO_LOAD = 0
"""The load of a row that has been moved, and is yet to be written."""


def is_written_unless_it_moves(changes: Sequence[str]) -> str:
    """SQL: of an `incoming` row and the `stored` one of its key, whether it is written. It is not when it moves, which
    `have_moved` tells then: so the one look for its key is enough.
    """
    return (
        f"case when stored.{ACCOUNT} <> incoming.{ACCOUNT} then set_config('{_MOVED}', 'yes', true) is null "
        f"else {' or '.join([*changes, f'stored.{LOAD_ID} = {NO_LOAD}'])} end"
    )


def have_moved(cursor: Cursor) -> bool:
    """Whether there are rows that `is_written_unless_it_moves` found to move, in this transaction."""
    cursor.execute("select current_setting(%s, true) = 'yes'", (_MOVED,))
    return cursor.fetchone() == (True,)


def move_rows(cursor: Cursor, table: SourceTable, incoming: Incoming, load_id: int) -> None:
    """Give each stored row to the account as whose it came in, and say of which day it left the other (`load_id`)."""
    same_key = " and ".join(f"stored.{name} = incoming.{name}" for name in table.key)
    kept = ", ".join(name for name in table.column_names if name != ACCOUNT)
    cursor.execute("select set_config(%s, %s, true)", (_LOAD, str(load_id)))
    cursor.execute(
        f"with moving as (delete from {table.relation} as stored using {incoming.relation} as incoming "
        f"where {same_key} and stored.{ACCOUNT} <> incoming.{ACCOUNT} "
        f"returning stored.*, incoming.{ACCOUNT} as _account_id) "
        f"insert into {table.relation} ({kept}, {ACCOUNT}, {LOAD_ID}) "
        f"select {kept}, _account_id, {NO_LOAD} from moving on conflict do nothing"
    )
    cursor.execute("select set_config(%s, '', true)", (_LOAD,))
