"""Find rows that earlier readings of mappings stored and the one of now did not bring: the source deleted them, or a
select names its rows by other keys than before, and then each stands twice.

They stay unless somebody says otherwise, because a source may lack rows that once were true.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import ACCOUNT, LOAD_ID, SourceTable
from cs_pipeline.warehouse.incoming import Incoming
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.spread import is_spread, place_table
from cs_pipeline.warehouse.validation import typed


def count_vanished(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int:
    """How many rows of mappings are stored that are not among the incoming ones, of which all were read and stored."""
    if _rows(cursor, table.relation) == _rows(cursor, incoming.relation):
        return 0  # every incoming row is stored by now, so nothing else is
    with _kept(cursor, table, incoming) as has_vanished:
        cursor.execute(f"select count(*) from {table.relation} as stored where {has_vanished}")
        (rows,) = cursor.fetchone() or (0,)
    return rows


def remove_vanished(cursor: Cursor, table: SourceTable, incoming: Incoming, load_id: int) -> int:
    """Delete those rows; how many they were. `load_id`: under which the days that they leave are known."""
    with _kept(cursor, table, incoming) as has_vanished:
        if table.rolled_up and is_spread(cursor):  # what the trigger does on one server
            cursor.execute(
                "insert into cs.touched_days (source_table, load_id, day, rows) "
                f"select %s, %s, (stored.{table.event_time} at time zone 'UTC')::date, count(*) "
                f"from {table.relation} as stored where {has_vanished} group by 3",
                (table.name, load_id),
            )
        cursor.execute(f"delete from {table.relation} as stored where {has_vanished}")
        return cursor.rowcount


def _rows(cursor: Cursor, relation: str) -> int:
    cursor.execute(f"select count(*) from {relation}")  # alone: a Citus may ask another server for a copy of a table
    (rows,) = cursor.fetchone() or (0,)
    return rows


@contextmanager
def _kept(cursor: Cursor, table: SourceTable, incoming: Incoming) -> Iterator[str]:
    """SQL: a `stored` row came by a mapping and is not among the incoming ones. Over several servers those are on one:
    within, their keys are where the table is.
    """
    of_mappings = f"select load_id from cs.loads where source_table = '{table.name}' and origin like 'mapping %'"
    if not is_spread(cursor):
        yield f"{_is_none_of(incoming.relation, table.key)} and stored.{LOAD_ID} in ({of_mappings})"
        return
    keys = tuple(dict.fromkeys([name for name in (*table.key, ACCOUNT) if name in incoming.types]))
    kept = f"raw._kept_{table.name}"
    columns = ", ".join(f"{name} {table.column(name).data_type}" for name in keys)
    cursor.execute(f"create unlogged table {kept} ({columns})")
    place_table(cursor, kept, place_of_source(table))
    values = ", ".join(typed(table.column(name), incoming.types[name]) for name in keys)
    cursor.execute(f"insert into {kept} select {values} from {incoming.relation} as incoming")
    cursor.execute(f"select coalesce(array_agg(load_id), '{{}}')::text from ({of_mappings}) as loads")
    (loads,) = cursor.fetchone() or ("{}",)
    yield f"{_is_none_of(kept, keys)} and stored.{LOAD_ID} = any('{loads}'::bigint[])"
    cursor.execute(f"drop table {kept}")


def _is_none_of(relation: str, keys: tuple[str, ...]) -> str:
    same = " and ".join(f"kept.{name} = stored.{name}" for name in keys)
    return f"not exists (select 1 from {relation} as kept where {same})"
