"""Move incoming rows to the contract's table: check each, put aside what breaks a rule, upsert the rest by key.

Set-based and the same for files and mappings. Loading the same rows again changes nothing, not even their load id.
"""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.beside_stored import Within, write_beside_stored
from cs_pipeline.warehouse.contract import LOAD_ID, SourceTable
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.load_report import Stage
from cs_pipeline.warehouse.months import Month, archived_of, make_months, months_of
from cs_pipeline.warehouse.put_aside import put_aside_archived, put_aside_broken, put_aside_repeated
from cs_pipeline.warehouse.spellings import respell
from cs_pipeline.warehouse.spread import is_spread, place_table
from cs_pipeline.warehouse.spread_upsert import forget_parents, know_parents, write_spread
from cs_pipeline.warehouse.validation import typed

FEW = 0.1
"""Share of a table's rows up to which what comes in is news beside it: it is looked up by key, and does not change how
the table is distributed. More is a load of the table, for which reading it whole is cheaper."""


@dataclass(frozen=True)
class Upserted:
    """Whole rows put aside by a rule, and rows that were new or changed."""

    rejected: int
    loaded: int


def upsert_incoming(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], at: Callable[[Stage], None]
) -> Upserted:
    """Move the incoming rows of the loads in `origins` (load id: origin) to where they belong; `at` hears the stage."""
    at("checking")
    cursor.execute(f"analyze {incoming.relation} ({table.key[0]})")  # for its size; of a column, the key says most
    spread = is_spread(cursor)
    is_new = table.create(cursor)
    respell(cursor, table, incoming.relation, incoming.types)
    known = know_parents(cursor, table, incoming) if spread else {}
    rejected = put_aside_broken(cursor, table, incoming, origins, known)
    forget_parents(cursor, known)
    if spread or not is_new:
        rejected += put_aside_repeated(cursor, table, incoming, origins)
    at("writing")
    months = months_of(cursor, table, incoming)
    if archived := archived_of(cursor, table, months):
        rejected += put_aside_archived(cursor, table, incoming, origins, archived)
        months = [month for month in months if month not in archived]
    made = make_months(cursor, table, months)
    if spread:
        return Upserted(rejected, _write_spread(cursor, table, incoming, min(origins), months, is_new=is_new))
    if is_new:
        loaded = _insert_unless_keys_repeat(cursor, table, incoming)
        if loaded is None:
            rejected += put_aside_repeated(cursor, table, incoming, origins)
            loaded = _insert(cursor, table, incoming)
        if table.rolled_up:  # sums of a table that was there before, and was dropped, are to be made anew
            _touch_every_day(cursor, table, min(origins))
    else:
        is_few = _is_few(cursor, table, _rows(cursor, incoming.relation))
        within = Within(months, empty=made, is_few=is_few)
        loaded = write_beside_stored(cursor, table, incoming, _values(table, incoming), min(origins), within)
    if loaded:
        parts = [month.relation_of(table) for month in months] or [table.relation]
        _analyze(cursor, table, parts, is_few=not is_new and _is_few(cursor, table, loaded))
        _summarize(cursor, parts)
    return Upserted(rejected, loaded)


def _is_few(cursor: Cursor, table: SourceTable, rows: float) -> bool:
    """Whether so many rows are few beside those of the table."""
    return rows < FEW * _rows(cursor, table.relation)


def _rows(cursor: Cursor, relation: str) -> float:
    """The rows of a relation, or of its partitions, as they were analyzed last."""
    cursor.execute(
        "select sum(greatest(reltuples, 0)) from pg_class where relkind = 'r' and (oid = %(name)s::regclass "
        "or oid in (select inhrelid from pg_inherits where inhparent = %(name)s::regclass))",
        {"name": relation},
    )
    (rows,) = cursor.fetchone() or (0.0,)
    return rows or 0.0


def _analyze(cursor: Cursor, table: SourceTable, parts: list[str], *, is_few: bool) -> None:
    """Tell PostgreSQL what a table holds now. Of few new rows it need only know that they are later than all before:
    else it expects none of them, and what they add up to in time autovacuum sees. `parts`: where they are."""
    if not is_few:
        cursor.execute(f"analyze {table.relation}")
        return
    for part in parts:
        if table.by_month and not _rows(cursor, part):  # of a month that just began it knows nothing
            cursor.execute(f"analyze {part}")
        elif table.append_only:
            cursor.execute(f"analyze {part} ({table.event_time}, {LOAD_ID})")


def _summarize(cursor: Cursor, parts: list[str]) -> None:
    """Tell block-range indexes of the new pages: until vacuum does, each look for a day or a load reads all of them."""
    cursor.execute(
        "select brin_summarize_new_values(pg_class.oid) from pg_index "
        "inner join pg_class on pg_index.indexrelid = pg_class.oid inner join pg_am on pg_class.relam = pg_am.oid "
        "where pg_index.indrelid = any(%s::regclass[]) and pg_am.amname = 'brin'",
        (parts,),
    )


def _write_spread(
    cursor: Cursor, table: SourceTable, incoming: Incoming, load_id: int, months: list[Month], *, is_new: bool
) -> int:
    """Write into a table over several servers. Where the servers look after their own statistics and indexes."""
    if not is_new:
        return write_spread(cursor, table, incoming, _values(table, incoming), load_id, months)
    place_table(cursor, table.relation, place_of_source(table))
    loaded = _insert(cursor, table, incoming, spread=True)
    if table.rolled_up:
        _touch_every_day(cursor, table, load_id)
    return loaded


def _touch_every_day(cursor: Cursor, table: SourceTable, load_id: int) -> None:
    cursor.execute("insert into cs.touched_days values (%s, %s, null, 0)", (table.name, load_id))


def _values(table: SourceTable, incoming: Incoming) -> dict[str, str]:
    """The contract's columns that came in, as SQL of the contract's types."""
    return {name: typed(table.column(name), kind) for name, kind in incoming.types.items()}


def _insert_unless_keys_repeat(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int | None:
    """Fill a new table; None, and nothing done, when keys repeat. Where more than the key is in its primary key, an
    index of the keys alone tells, made for that: it takes a third of the time of a look through the incoming rows.
    """
    cursor.execute("savepoint before_insert")
    try:
        if table.can_move:
            cursor.execute(f"create unique index _keys_of_{table.name} on {incoming.relation} ({', '.join(table.key)})")
            cursor.execute(f"drop index {incoming.relation.partition('.')[0]}._keys_of_{table.name}")
        loaded = _fill(cursor, table, incoming)
        table.create_indexes(cursor)
    except psycopg2.errors.UniqueViolation:
        cursor.execute("rollback to savepoint before_insert")
        return None
    return loaded


def _insert(cursor: Cursor, table: SourceTable, incoming: Incoming, *, spread: bool = False) -> int:
    """Fill a new table, and index it."""
    loaded = _fill(cursor, table, incoming)
    table.create_indexes(cursor, is_spread=spread)
    return loaded


def _fill(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int:
    values = _values(table, incoming)
    cursor.execute(
        f"insert into {table.relation} ({', '.join(values)}, {LOAD_ID}) "
        f"select {', '.join(values.values())}, incoming.{LOAD} from {incoming.relation} as incoming"
    )
    return cursor.rowcount
