"""Move rows that come again as another account's, or at another time: a key is at one place only, and this is where it
is kept so.

The primary keys of tables carry the place (`SourceTable.place`), so no index says it. Loads do, of which there is one
at a time: a row whose key is stored at another place leaves that before it is written, in the same transaction, and
takes along what did not come in. In a table that is kept by month it is looked for near its time (`months.NEAR_DAYS`):
beyond, it is another row.
"""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import ACCOUNT, LOAD_ID, SourceTable
from cs_pipeline.warehouse.incoming import Incoming
from cs_pipeline.warehouse.months import MOMENT, Month, incoming_rows, is_near
from cs_pipeline.warehouse.validation import typed

_MOVED = "cs_pipeline.rows_moved"
_DIFFER = "cs_pipeline.rows_differ"
_LOAD = "cs_pipeline.load_id"
NO_LOAD = 0
"""The load of a row that has been moved, and is yet to be written."""


def has_same_key(table: SourceTable, months: Sequence[Month]) -> str:
    """SQL: the `stored` row is the one of `incoming_rows` as it was before, wherever it is kept. `months`: of those,
    where the table is kept so.
    """
    return " and ".join(f"stored.{name} = incoming.{name}" for name in table.key) + is_near(table, months)


def is_written_unless_it_moves(table: SourceTable, incoming: Incoming, changes: Sequence[str]) -> str:
    """SQL: of an `incoming` row and the `stored` one of its key, whether it is written. It is not when it moves, which
    `have_moved` tells then: so the one look for its key is enough.
    """
    return (
        f"case when {' or '.join(_moves(table, incoming))} then {_note(_MOVED)} "
        f"else {' or '.join([*changes, f'stored.{LOAD_ID} = {NO_LOAD}'])} end"
    )


def tells_of_difference(table: SourceTable, incoming: Incoming, changes: Sequence[str]) -> str:
    """SQL, never true: of an `incoming` row and the `stored` one of its key, which `differ` tells when they do."""
    says_other = " or ".join([*_moves(table, incoming), *changes]) or "false"
    return f"case when {says_other} then {_note(_DIFFER)} else false end"


def differ(cursor: Cursor) -> bool:
    """Whether there are rows of which `tells_of_difference` was to tell, in this transaction; forgotten then."""
    return _was_noted(cursor, _DIFFER)


def have_moved(cursor: Cursor) -> bool:
    """Whether there are rows that `is_written_unless_it_moves` found to move, in this transaction; forgotten then."""
    return _was_noted(cursor, _MOVED)


def move_rows(
    cursor: Cursor, table: SourceTable, incoming: Incoming, load_id: int, months: Sequence[Month] = ()
) -> None:
    """Put each stored row to the place as at which it came in, and say which day of an account it left (`load_id`)."""
    kept = ", ".join(name for name in table.column_names if name not in table.place)
    placed = ", ".join(table.place)
    cursor.execute("select set_config(%s, %s, true)", (_LOAD, str(load_id)))  # the trigger leaves it to us then
    cursor.execute(
        f"with moving as (delete from {table.relation} as stored using {incoming_rows(table, incoming)} "
        f"where {has_same_key(table, months)} and ({' or '.join(_moves(table, incoming))}) returning stored.*, "
        f"{', '.join(f'{_came(table, incoming, name)} as _new_{name}' for name in table.place)}), "
        f"{_days_left(table)}"
        f"placed as (insert into {table.relation} ({kept}, {placed}, {LOAD_ID}) "
        f"select {kept}, {', '.join(f'_new_{name}' for name in table.place)}, {NO_LOAD} "
        "from moving on conflict do nothing) select",
        {"table": table.name, "load_id": load_id},
    )
    cursor.execute("select set_config(%s, '', true)", (_LOAD,))


def _days_left(table: SourceTable) -> str:
    """SQL that writes down from which days of an account rows of `moving` went away, of a table that is summed up."""
    if not table.rolled_up:
        return ""
    was = f"({table.event_time} at time zone 'UTC')::date"
    is_now = f"(_new_{table.event_time} at time zone 'UTC')::date" if table.event_time in table.place else was
    return (
        "days_left as (insert into cs.touched_days (source_table, load_id, day, rows) "
        f"select %(table)s, %(load_id)s, {was}, count(*) from moving "
        f"where {ACCOUNT} <> _new_{ACCOUNT} or {was} <> {is_now} group by 3), "
    )


def _note(setting: str) -> str:
    """SQL, false, that sets a setting of this transaction to yes."""
    return f"set_config('{setting}', 'yes', true) is null"


def _was_noted(cursor: Cursor, setting: str) -> bool:
    cursor.execute("select current_setting(%s, true) = 'yes', set_config(%s, '', true)", (setting, setting))
    is_noted, _ = cursor.fetchone() or (False, None)
    return bool(is_noted)


def _moves(table: SourceTable, incoming: Incoming) -> list[str]:
    return [f"stored.{name} <> {_came(table, incoming, name)}" for name in table.place]


def _came(table: SourceTable, incoming: Incoming, name: str) -> str:
    if table.by_month and name == table.event_time:
        return MOMENT
    return typed(table.column(name), incoming.types[name])
