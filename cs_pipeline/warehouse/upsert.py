"""Move incoming rows to the contract's table: check each, put aside what breaks a rule, upsert the rest by key.

What is put aside is a value where the row is worth keeping without it, else the whole row. Set-based and the same for
files and mappings. Loading the same rows again changes nothing, not even their load id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse import kept_rejects
from cs_pipeline.warehouse.contract import LOAD_ID, LOADED_AT, SCHEMA, SourceTable
from cs_pipeline.warehouse.incoming import LINE, LOAD, Incoming
from cs_pipeline.warehouse.input_is_valid import validity_function
from cs_pipeline.warehouse.layout import place_of_source
from cs_pipeline.warehouse.load_report import Stage
from cs_pipeline.warehouse.moved_rows import have_moved, is_written_unless_it_moves, move_rows
from cs_pipeline.warehouse.spellings import respell
from cs_pipeline.warehouse.spread import is_spread, place_table
from cs_pipeline.warehouse.spread_upsert import forget_parents, know_parents, write_spread
from cs_pipeline.warehouse.validation import REPEATED_KEY, Rule, rules, typed

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
    rejected = _put_aside_broken(cursor, table, incoming, origins, known)
    forget_parents(cursor, known)
    if spread or not is_new:
        rejected += _put_aside_repeated(cursor, table, incoming, origins)
    at("writing")
    if spread:
        return Upserted(rejected, _write_spread(cursor, table, incoming, min(origins), is_new=is_new))
    if is_new:
        loaded = _insert_unless_keys_repeat(cursor, table, incoming)
        if loaded is None:
            rejected += _put_aside_repeated(cursor, table, incoming, origins)
            loaded = _insert(cursor, table, incoming)
        if table.rolled_up:  # sums of a table that was there before, and was dropped, are to be made anew
            _touch_every_day(cursor, table, min(origins))
    else:
        is_few = _is_few(cursor, table, _rows(cursor, incoming.relation))
        loaded = _insert_or_update(cursor, table, incoming, is_few=is_few)
        if have_moved(cursor):
            move_rows(cursor, table, incoming, min(origins))
            loaded += _insert_or_update(cursor, table, incoming, is_few=is_few)
    if loaded:
        _analyze(cursor, table, is_few=not is_new and _is_few(cursor, table, loaded))
        _summarize(cursor, table)
    return Upserted(rejected, loaded)


def _is_few(cursor: Cursor, table: SourceTable, rows: float) -> bool:
    """Whether so many rows are few beside those of the table."""
    return rows < FEW * _rows(cursor, table.relation)


def _rows(cursor: Cursor, relation: str) -> float:
    """The rows of a relation as it was analyzed last."""
    cursor.execute("select reltuples from pg_class where oid = %s::regclass", (relation,))
    (rows,) = cursor.fetchone() or (0.0,)
    return rows


def _analyze(cursor: Cursor, table: SourceTable, *, is_few: bool) -> None:
    """Tell PostgreSQL what a table holds now. Of few new rows it need only know that they are later than all before:
    else it expects none of them, and what they add up to in time autovacuum sees."""
    if not is_few:
        cursor.execute(f"analyze {table.relation}")
    elif table.append_only:
        cursor.execute(f"analyze {table.relation} ({table.event_time}, {LOAD_ID})")


def _summarize(cursor: Cursor, table: SourceTable) -> None:
    """Tell block-range indexes of the new pages: until vacuum does, each look for a day or a load reads all of them."""
    cursor.execute(
        "select brin_summarize_new_values(pg_class.oid) from pg_index "
        "inner join pg_class on pg_index.indexrelid = pg_class.oid inner join pg_am on pg_class.relam = pg_am.oid "
        "where pg_index.indrelid = %s::regclass and pg_am.amname = 'brin'",
        (table.relation,),
    )


def _write_spread(cursor: Cursor, table: SourceTable, incoming: Incoming, load_id: int, *, is_new: bool) -> int:
    """Write into a table over several servers. Where the servers look after their own statistics and indexes."""
    if not is_new:
        return write_spread(cursor, table, incoming, _values(table, incoming), load_id)
    place_table(cursor, table.relation, place_of_source(table))
    loaded = _insert(cursor, table, incoming, spread=True)
    if table.rolled_up:
        _touch_every_day(cursor, table, load_id)
    return loaded


def _touch_every_day(cursor: Cursor, table: SourceTable, load_id: int) -> None:
    cursor.execute("insert into cs.touched_days values (%s, %s, null, 0)", (table.name, load_id))


def _put_aside_broken(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], known: Mapping[str, str]
) -> int:
    """Move to the rejects each row with the first rule that it breaks in a column it cannot lose; of the other rows,
    each value that breaks a rule, in whose place is nothing then.
    """
    asked = rules(table, incoming.types, validity_function(cursor), known)
    by_column: dict[str, list[str]] = {}
    for position, rule in enumerate(asked):
        by_column.setdefault(rule.column, []).append(f"when {rule.is_broken} then {position}")
    if not by_column:
        return 0
    found = ", ".join(f"case {' '.join(cases)} end" for cases in by_column.values())
    joins = " ".join(rule.join for rule in asked if rule.join)
    losable = [str(position) for position, rule in enumerate(asked) if table.can_lose(table.column(rule.column))]
    cursor.execute(
        "create temporary table broken on commit drop as "
        f"select row, rule, rule = any('{{{', '.join(losable)}}}'::integer[]) as can_lose from ("
        f"select incoming.ctid as row, unnest(array[{found}]) as rule from {incoming.relation} as incoming {joins} "
        f"where coalesce({found}) is not null) as found where rule is not null"
    )
    rejected = 0
    if cursor.rowcount:
        _put_aside_values(cursor, table, incoming, origins, asked)
        whole = "select row, min(rule) as rule from broken where not can_lose group by row"
        rejected = put_aside(cursor, table, incoming, origins, asked, whole)
    cursor.execute("drop table broken")
    return rejected


def _put_aside_values(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], asked: list[Rule]
) -> None:
    """Write the values of rows that stay to the rejects, with the row as it came, and empty them."""
    cursor.execute(
        "create temporary table problem on commit drop as select row, rule from broken as value "
        "where can_lose and not exists (select from broken where broken.row = value.row and not broken.can_lose)"
    )
    if cursor.rowcount:
        _write_rejects(cursor, table, incoming, origins, asked, row_kept=True)
        cursor.execute(
            "select distinct (%s::text[])[rule + 1] from problem order by 1", ([rule.column for rule in asked],)
        )
        emptied = ", ".join(
            f"{name} = case when '{name}' = any(lost.columns) then null else incoming.{name} end"
            for (name,) in cursor.fetchall()
        )
        cursor.execute(
            f"update {incoming.relation} as incoming set {emptied} from ("
            "select row, array_agg((%s::text[])[rule + 1]) as columns from problem group by row"
            ") as lost where incoming.ctid = lost.row",
            ([rule.column for rule in asked],),
        )
    cursor.execute("drop table problem")


def _put_aside_repeated(cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str]) -> int:
    """Of sound rows with the same key the first stays: by file and line, or for mappings by content.

    Hashes find the few candidates first; a window over all rows would cost as much as the load itself.
    """
    key = ", ".join(f"incoming.{name}" for name in table.key)
    key_hash = "0"
    for name in table.key:
        key_hash = f"hashtextextended(incoming.{name}, {key_hash})"
    cursor.execute(
        "create temporary table repeated on commit drop as "
        f"select {key_hash} as key_hash from {incoming.relation} as incoming group by 1 having count(*) > 1"
    )
    rejected = 0
    if cursor.rowcount:
        rejected = put_aside(
            cursor,
            table,
            incoming,
            origins,
            [Rule(", ".join(table.key), REPEATED_KEY, "")],
            "select row, 0 as rule from (select incoming.ctid as row, row_number() over ("
            f"partition by {key} order by {LOAD}, {LINE}, incoming::text) as occurrence from {incoming.relation} "
            f"as incoming where {key_hash} in (select key_hash from repeated)) as numbered where occurrence > 1",
        )
    cursor.execute("drop table repeated")
    return rejected


def put_aside(
    cursor: Cursor, table: SourceTable, incoming: Incoming, origins: dict[int, str], asked: list[Rule], problems: str
) -> int:
    """Move incoming rows to the rejects. `problems` selects them: row (its ctid) and rule (its position in `asked`).

    They leave the incoming table, so that only sound rows are ever cast: PostgreSQL may cast before it filters.
    """
    cursor.execute(f"create temporary table problem on commit drop as {problems}")
    rejected = cursor.rowcount
    if rejected:
        _write_rejects(cursor, table, incoming, origins, asked, row_kept=False)
        cursor.execute(f"delete from {incoming.relation} as incoming using problem where incoming.ctid = problem.row")
    cursor.execute("drop table problem")
    return rejected


def _write_rejects(
    cursor: Cursor,
    table: SourceTable,
    incoming: Incoming,
    origins: dict[int, str],
    asked: list[Rule],
    *,
    row_kept: bool,
) -> None:
    """Write what the temporary table `problem` names (row, rule) to the rejects, in the order of files and lines; of a
    load that has very many, the first, and how many more there are.
    """
    cursor.execute(
        f"with placed as (select problem.row, problem.rule, {LOAD}, {LINE}, "
        f"row_number() over (partition by {LOAD} order by {LINE}, problem.rule) <= %(most)s as is_kept "
        f"from problem inner join {incoming.relation} as incoming on incoming.ctid = problem.row), "
        f"written as (select placed.{LOAD}, placed.{LINE}, rule, "
        f"to_jsonb(incoming) - '{{{LOAD}, {LINE}}}'::text[] as row_data, 1 as rows "
        f"from placed inner join {incoming.relation} as incoming on incoming.ctid = placed.row where is_kept union all "
        f"select {LOAD}, null, rule, '{{}}'::jsonb, count(*) from placed where not is_kept group by {LOAD}, rule) "
        "insert into raw.raw_rejects "
        "(load_id, source_table, origin, line, column_name, reason, row_kept, row_data, rows) "
        f"select {LOAD}, %(table)s, (%(origins)s::text[])[array_position(%(loads)s::bigint[], {LOAD})], {LINE}, "
        "(%(columns)s::text[])[rule + 1], (%(reasons)s::text[])[rule + 1], %(row_kept)s, row_data, rows "
        f"from written order by {LOAD}, {LINE}, rule",
        {
            "most": kept_rejects.MOST_KEPT,
            "table": table.name,
            "loads": list(origins),
            "origins": list(origins.values()),
            "columns": [rule.column for rule in asked],
            "reasons": [rule.reason for rule in asked],
            "row_kept": row_kept,
        },
    )


def _values(table: SourceTable, incoming: Incoming) -> dict[str, str]:
    """The contract's columns that came in, as SQL of the contract's types."""
    return {name: typed(table.column(name), kind) for name, kind in incoming.types.items()}


def _insert_unless_keys_repeat(cursor: Cursor, table: SourceTable, incoming: Incoming) -> int | None:
    """Fill a new table; None, and nothing done, when keys repeat. Where the account is in its primary key, an index of
    the keys alone tells, made for that: it takes a third of the time of a look through the incoming rows.
    """
    cursor.execute("savepoint before_insert")
    try:
        loaded = _fill(cursor, table, incoming)
        if table.can_move:
            cursor.execute(f"create unique index _keys_once on {table.relation} ({', '.join(table.key)})")
            cursor.execute(f"drop index {SCHEMA}._keys_once")
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


def _insert_or_update(cursor: Cursor, table: SourceTable, incoming: Incoming, *, is_few: bool) -> int:
    """Write new and changed rows only: a conflict that changes nothing would still cost a row lock each.

    Columns that did not come in keep their value; `_loaded_at` keeps the earliest, so that a past week that was
    scored with a row can be scored with it again.
    """
    values = _values(table, incoming)
    data = [name for name in values if name != LOADED_AT and name not in table.stored_key]
    same_key = " and ".join(f"stored.{name} = incoming.{name}" for name in table.key)
    changes = [f"stored.{name} is distinct from {values[name]}" for name in data]
    updates = [f"{name} = excluded.{name}" for name in data]
    if LOADED_AT in values:
        earliest = f"least(stored.{LOADED_AT}, {{}}.{LOADED_AT})"
        changes.append(f"stored.{LOADED_AT} is distinct from least(stored.{LOADED_AT}, {values[LOADED_AT]})")
        updates.append(f"{LOADED_AT} = {earliest.format('excluded')}")
    is_new = f"stored.{table.key[0]} is null"
    is_written = is_written_unless_it_moves(changes) if table.can_move else " or ".join(changes or ["false"])
    reads_whole = "off" if is_few else "on"
    # Else PostgreSQL reads the whole table for them: it takes a page of the index for far from the next.
    cursor.execute(f"set local enable_hashjoin = {reads_whole}; set local enable_mergejoin = {reads_whole}")
    cursor.execute(
        f"insert into {table.relation} as stored ({', '.join(values)}, {LOAD_ID}) "
        f"select {', '.join(values.values())}, incoming.{LOAD} "
        f"from {incoming.relation} as incoming left join {table.relation} as stored on {same_key} "
        f"where {is_new} or {is_written} "
        f"on conflict ({', '.join(table.stored_key)}) do update "
        f"set {', '.join([*updates, f'{LOAD_ID} = excluded.{LOAD_ID}'])}"
    )
    loaded = cursor.rowcount
    cursor.execute("set local enable_hashjoin = on; set local enable_mergejoin = on")
    return loaded
