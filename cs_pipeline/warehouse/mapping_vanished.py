"""Find rows that earlier readings of mappings stored and the one of now did not bring: the source deleted them, or a
select names its rows by other keys than before, and then each stands twice.

They stay unless somebody says otherwise, because a source may lack rows that once were true.
"""

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.errors import UserError
from cs_pipeline.warehouse.contract import LOAD_ID, SourceTable
from cs_pipeline.warehouse.incoming import Incoming
from cs_pipeline.warehouse.spread import is_spread


def count_vanished(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int:
    """How many rows of mappings are stored that are not among the incoming ones, of which all were read and stored.

    Not looked for where tables are spread over servers: there the incoming rows are on one of them.
    """
    if is_spread(cursor):
        return 0
    cursor.execute(f"select (select count(*) from {table.relation}) - (select count(*) from {incoming.relation})")
    if cursor.fetchone() == (0,):  # every incoming row is stored by now, so nothing else is
        return 0
    cursor.execute(f"select count(*) from {table.relation} as stored where {_has_vanished(table, incoming)}")
    (rows,) = cursor.fetchone() or (0,)
    return rows


def remove_vanished(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int:
    """Delete those rows; how many they were. Raises UserError where tables are spread over servers."""
    if is_spread(cursor):
        raise UserError(
            f"Rows of {table.name} are spread over servers, where vanished ones are not looked for. Delete them by SQL."
        )
    cursor.execute(f"delete from {table.relation} as stored where {_has_vanished(table, incoming)}")
    return cursor.rowcount


def _has_vanished(table: SourceTable, incoming: Incoming) -> str:
    same = " and ".join(f"incoming.{name} = stored.{name}" for name in table.key)
    return (
        f"not exists (select 1 from {incoming.relation} as incoming where {same}) and stored.{LOAD_ID} in "
        f"(select load_id from cs.loads where source_table = '{table.name}' and origin like 'mapping %')"
    )
