"""Move incoming rows to the contract's table: check each, put aside what breaks a rule, upsert the rest by key.

Set-based and the same for files and mappings. Loading the same rows again changes nothing, not even their load id.
"""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOAD_ID, LOADED_AT, SourceTable
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.load_report import Stage
from cs_pipeline.warehouse.months import MOMENT, Month, archived_of, incoming_rows, make_months, months_of
from cs_pipeline.warehouse.moved_rows import has_same_key, have_moved, is_written_unless_it_moves, move_rows
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
    make_months(cursor, table, months)
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
        loaded = _insert_or_update(cursor, table, incoming, months, is_few=is_few)
        if have_moved(cursor):
            move_rows(cursor, table, incoming, min(origins), months)
            loaded += _insert_or_update(cursor, table, incoming, months, is_few=is_few)
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


def _insert_or_update(
    cursor: Cursor, table: SourceTable, incoming: Incoming, months: list[Month], *, is_few: bool
) -> int:
    """Write new and changed rows only: a conflict that changes nothing would still cost a row lock each.

    Columns that did not come in keep their value; `_loaded_at` keeps the earliest, so that a past week that was
    scored with a row can be scored with it again.
    """
    values = _values(table, incoming)
    data = [name for name in values if name != LOADED_AT and name not in table.stored_key]
    if table.by_month:
        values[table.event_time] = MOMENT
    changes = [f"stored.{name} is distinct from {values[name]}" for name in data]
    updates = [f"{name} = excluded.{name}" for name in data]
    if LOADED_AT in values:
        earliest = f"least(stored.{LOADED_AT}, {{}}.{LOADED_AT})"
        changes.append(f"stored.{LOADED_AT} is distinct from least(stored.{LOADED_AT}, {values[LOADED_AT]})")
        updates.append(f"{LOADED_AT} = {earliest.format('excluded')}")
    is_new = f"stored.{table.key[0]} is null"
    is_changed = " or ".join(changes or ["false"])
    is_written = is_written_unless_it_moves(table, incoming, changes) if table.can_move else is_changed
    reads_whole = "off" if is_few else "on"
    # Else PostgreSQL reads the whole table for them: it takes a page of the index for far from the next.
    cursor.execute(f"set local enable_hashjoin = {reads_whole}; set local enable_mergejoin = {reads_whole}")
    cursor.execute(
        f"insert into {table.relation} as stored ({', '.join(values)}, {LOAD_ID}) "
        f"select {', '.join(values.values())}, incoming.{LOAD} "
        f"from {incoming_rows(table, incoming)} "
        f"left join {table.relation} as stored on {has_same_key(table, months)} "
        f"where {is_new} or {is_written} "
        f"on conflict ({', '.join(table.stored_key)}) do update "
        f"set {', '.join([*updates, f'{LOAD_ID} = excluded.{LOAD_ID}'])}"
    )
    loaded = cursor.rowcount
    cursor.execute("set local enable_hashjoin = on; set local enable_mergejoin = on")
    return loaded
