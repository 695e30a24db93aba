"""Write checked rows of a load into a table that is spread over several servers.

The incoming rows are on the coordinator, where they are checked. They are written once more, cut like their table, so
that each server compares and upserts its own; that costs a write, and joining them from the coordinator would bring the
whole table there. What triggers keep on one server (days that rows leave, stages that users leave) is kept here.
"""

from collections.abc import Mapping, Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import ACCOUNT, LOAD_ID, LOADED_AT, SourceTable
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.layout import Place, place_of_source
from cs_pipeline.warehouse.months import Month, incoming_rows, is_near
from cs_pipeline.warehouse.moved_rows import NO_LOAD
from cs_pipeline.warehouse.spread import place_table
from cs_pipeline.warehouse.validation import parents_of

FEW_ROWS = 100_000
"""Incoming rows up to which they are asked what they refer to; of more, all that could be is read."""


def know_parents(cursor: Cursor, table: SourceTable, incoming: Incoming) -> Mapping[str, str]:
    """Tables on the coordinator with those rows of the tables referred to that the incoming rows name, by parent: what
    is checked against them would bring them here whole.
    """
    known: dict[str, str] = {}
    for name, parent in parents_of(table, incoming.types):
        known[parent] = f"_known_{parent}"
        cursor.execute(f"select {name} from {incoming.relation} limit {FEW_ROWS + 1}")
        named = {value for (value,) in cursor.fetchall()} if cursor.rowcount <= FEW_ROWS else None
        condition = "true" if named is None else f"{name} = any(%(named)s)"
        cursor.execute(
            f"create temporary table {known[parent]} on commit drop as "
            f"select {name} from raw.{parent} where {condition}",
            {"named": [value for value in named or () if value is not None]},
        )
        cursor.execute(f"analyze {known[parent]}")
    return known


def forget_parents(cursor: Cursor, known: Mapping[str, str]) -> None:
    """Drop what `know_parents` made."""
    for relation in known.values():
        cursor.execute(f"drop table {relation}")


def write_spread(
    cursor: Cursor,
    table: SourceTable,
    incoming: Incoming,
    values: Mapping[str, str],
    load_id: int,
    months: Sequence[Month],
) -> int:
    """Insert new rows and update changed ones, as on one server; how many. `values`: the columns as SQL over
    `incoming`; `load_id`: under which days that rows leave are known; `months` of the incoming rows.
    """
    if table.can_move:
        _move_rows(cursor, table, incoming, values, load_id, months)
    place = place_of_source(table)
    staged = f"raw._arrived_{table.name}"
    types = {column.name: column.data_type for column in table.columns}
    columns = ", ".join(f"{name} {types[name]}" for name in values)
    kind = "unlogged" if place is Place.DISTRIBUTED else "temporary"
    staged = staged if place is Place.DISTRIBUTED else staged.replace("raw.", "pg_temp.")
    cursor.execute(f"create {kind} table {staged} ({columns}, {LOAD_ID} bigint)")
    if place is Place.DISTRIBUTED:
        place_table(cursor, staged, place)
    cursor.execute(
        f"insert into {staged} select {', '.join(values.values())}, incoming.{LOAD} "
        f"from {incoming.relation} as incoming"
    )
    _keep_what_goes(cursor, table, staged, tuple(values))
    loaded = _upsert(cursor, table, staged, tuple(values))
    cursor.execute(f"drop table {staged}")
    return loaded


def _upsert(cursor: Cursor, table: SourceTable, staged: str, names: tuple[str, ...]) -> int:
    data = [name for name in names if name != LOADED_AT and name not in table.stored_key]
    same_key = " and ".join(f"stored.{name} = staged.{name}" for name in table.stored_key)
    changes = [f"stored.{table.key[0]} is null", f"stored.{LOAD_ID} = {NO_LOAD}"]
    changes += [f"stored.{name} is distinct from staged.{name}" for name in data]
    updates = [f"{name} = excluded.{name}" for name in data]
    if LOADED_AT in names:
        changes.append(f"stored.{LOADED_AT} is distinct from least(stored.{LOADED_AT}, staged.{LOADED_AT})")
        updates.append(f"{LOADED_AT} = least(stored.{LOADED_AT}, excluded.{LOADED_AT})")
    cursor.execute(
        f"insert into {table.relation} as stored ({', '.join(names)}, {LOAD_ID}) "
        f"select {', '.join(f'staged.{name}' for name in names)}, staged.{LOAD_ID} "
        f"from {staged} as staged left join {table.relation} as stored on {same_key} "
        f"where {' or '.join(changes)} on conflict ({', '.join(table.stored_key)}) do update "
        f"set {', '.join([*updates, f'{LOAD_ID} = excluded.{LOAD_ID}'])}"
    )
    return cursor.rowcount


def _move_rows(
    cursor: Cursor,
    table: SourceTable,
    incoming: Incoming,
    values: Mapping[str, str],
    load_id: int,
    months: Sequence[Month],
) -> None:
    """Put each stored row to the place as at which it came in, with what did not come in."""
    same_key = " and ".join(f"stored.{name} = asked.{name}" for name in table.key)
    same_key += is_near(table, months, "asked")
    near = ", _near_from, _near_until" if table.by_month else ""
    kept = ", ".join(name for name in table.column_names if name not in table.place)
    placed, new = ", ".join(table.place), ", ".join(f"_new_{name}" for name in table.place)
    cursor.execute(
        f"create temporary table _moving on commit drop as with asked as materialized ("
        f"select {', '.join(table.key)}, {', '.join(f'{values[name]} as _new_{name}' for name in table.place)}{near} "
        f"from {incoming_rows(table, incoming)}) "
        f"select stored.*, {', '.join(f'asked._new_{name}' for name in table.place)} from {table.relation} as stored "
        f"inner join asked on {same_key} "
        f"where {' or '.join(f'stored.{name} <> asked._new_{name}' for name in table.place)}"
    )
    if cursor.rowcount:
        left = " and ".join(f"stored.{name} = left_behind.{name}" for name in table.stored_key)
        cursor.execute(
            f"with left_behind as materialized (select {', '.join(table.stored_key)} from _moving) "
            f"delete from {table.relation} as stored using left_behind where {left}"
        )
        cursor.execute(
            f"insert into {table.relation} ({kept}, {placed}, {LOAD_ID}) select {kept}, {new}, {NO_LOAD} from _moving "
            "on conflict do nothing"
        )
        if table.rolled_up:
            was = f"({table.event_time} at time zone 'UTC')::date"
            is_now = f"(_new_{table.event_time} at time zone 'UTC')::date" if table.event_time in table.place else was
            cursor.execute(
                "insert into cs.touched_days (source_table, load_id, day, rows) "
                f"select %s, %s, {was}, count(*) from _moving "
                f"where {ACCOUNT} <> _new_{ACCOUNT} or {was} <> {is_now} group by 3",
                (table.name, load_id),
            )
    cursor.execute("drop table _moving")


def _keep_what_goes(cursor: Cursor, table: SourceTable, staged: str, names: tuple[str, ...]) -> None:
    """What the triggers of `SourceTable.watch` keep on one server, of rows that stay with their account."""
    same_key = " and ".join(f"stored.{name} = staged.{name}" for name in table.stored_key)
    stored = f"from {staged} as staged inner join {table.relation} as stored on {same_key}"
    if table.rolled_up:
        was, is_now = (f"({one}.{table.event_time} at time zone 'UTC')::date" for one in ("stored", "staged"))
        cursor.execute(
            "insert into cs.touched_days (source_table, load_id, day, rows) "
            f"select %s, staged.{LOAD_ID}, {was}, count(*) {stored} "
            f"where {was} <> {is_now} and stored.{LOAD_ID} <> {NO_LOAD} group by 2, 3",
            (table.name,),
        )
    if table.name == "users" and "onboarding_stage" in names:
        cursor.execute(
            "insert into cs.past_onboarding_stages (user_id, onboarding_stage, held_until) "
            f"select user_id, onboarding_stage, clock_timestamp() from (select stored.user_id, stored.onboarding_stage "
            f"{stored} where stored.onboarding_stage is distinct from staged.onboarding_stage) as gone"
        )
