"""Write when rows of a mapping arrived, where their source does not say it: the present, for those that came later."""

from collections.abc import Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, exists
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.layout import Place, place_of_source
from cs_pipeline.warehouse.spread import is_spread


def origins_read_before(cursor: Cursor, table: SourceTable) -> set[str]:
    """Mappings of the table whose rows have been loaded before."""
    cursor.execute(
        "select distinct origin from cs.loads where source_table = %s and finished_at is not null", (table.name,)
    )
    return {origin for (origin,) in cursor.fetchall()}


def stamp_arrivals(
    cursor: Cursor, table: SourceTable, incoming: Incoming, again: Sequence[int], now: datetime
) -> Incoming:
    """Write the present as the arrival of rows that have none and are not in the table yet, of the loads that are not
    the first of their mapping.
    """
    if not again or not exists(cursor, table):
        return incoming
    if LOADED_AT not in incoming.types:
        cursor.execute(f"alter table {incoming.relation} add column {LOADED_AT} timestamptz")
        incoming = Incoming(incoming.relation, {**incoming.types, LOADED_AT: "timestamptz"})
    stamped = "%(now)s" if incoming.types[LOADED_AT] == "timestamptz" else "%(now)s::text"
    same_key = " and ".join(f"stored.{name} = incoming.{name}" for name in table.key)
    stored = _known_here(cursor, table, incoming) if is_spread(cursor) else table.relation
    cursor.execute(
        f"update {incoming.relation} as incoming set {LOADED_AT} = {stamped} where {LOADED_AT} is null "
        f"and {LOAD} = any(%(again)s::bigint[]) "
        f"and not exists (select 1 from {stored} as stored where {same_key})",
        {"now": now, "again": list(again)},
    )
    if stored != table.relation:
        cursor.execute(f"drop table {stored}")
    return incoming


def _known_here(cursor: Cursor, table: SourceTable, incoming: Incoming) -> str:
    """A table beside the incoming rows with those of their keys that are stored: a Citus looks nothing up on its
    servers for a table that is on one, row by row, and lets another server read a table of which each has a copy.
    """
    keys = ", ".join(table.key)
    of_these = f" where ({keys}) in (select {keys} from {incoming.relation} offset 0)"
    is_small = place_of_source(table) is Place.REFERENCE
    cursor.execute(
        f"create temporary table _known on commit drop as select {keys} from {table.relation}"
        f"{'' if is_small else of_these}"
    )
    return "_known"
