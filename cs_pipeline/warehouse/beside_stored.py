"""Write incoming rows into a table that has rows: those that are new, that say something else, and that have moved.

Rows that say what is stored are looked for and left alone: a conflict that changes nothing would still cost a row lock
each. Of a table whose rows never change nearly all are new, and are written without a conflict being looked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import psycopg2.errors
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOAD_ID, LOADED_AT, SourceTable
from cs_pipeline.warehouse.incoming import LOAD, Incoming
from cs_pipeline.warehouse.months import MOMENT, Month, incoming_rows, is_elsewhere
from cs_pipeline.warehouse.moved_rows import (
    differ,
    has_same_key,
    have_moved,
    is_written_unless_it_moves,
    move_rows,
    tells_of_difference,
)


@dataclass(frozen=True)
class Within:
    """What is known of the stored rows beside which others are written. `months`: of the incoming rows, where a table
    is kept so; `empty`: those of them that nobody has written to. `is_few`: few rows come in beside them.
    """

    months: Sequence[Month]
    empty: Sequence[Month]
    is_few: bool


def write_beside_stored(
    cursor: Cursor, table: SourceTable, incoming: Incoming, values: Mapping[str, str], load_id: int, within: Within
) -> int:
    """Write new, changed and moved rows; returns how many. `values`: the columns that came in, as SQL of the types."""
    rows = _Rows(cursor, table, incoming, values, within)
    inserted = rows.insert_new() if table.append_only else None
    if inserted is not None and not differ(cursor):
        return inserted
    loaded = (inserted or 0) + rows.insert_or_update()
    if have_moved(cursor):
        move_rows(cursor, table, incoming, load_id, within.months)
        loaded += rows.insert_or_update()
    return loaded


class _Rows:
    """The incoming rows, and the statements that write them."""

    def __init__(
        self, cursor: Cursor, table: SourceTable, incoming: Incoming, values: Mapping[str, str], within: Within
    ) -> None:
        self._cursor = cursor
        self._table = table
        self._incoming = incoming
        self._within = within
        self._values = {**values, table.event_time: MOMENT} if table.by_month else dict(values)
        self._data = [name for name in values if name != LOADED_AT and name not in table.stored_key]

    def insert_new(self) -> int | None:
        """Write the rows whose keys are not stored; None, and nothing done, when somebody else writes one meanwhile."""
        same_key = has_same_key(self._table, self._within.months) + is_elsewhere(self._table, self._within.empty)
        self._cursor.execute("savepoint before_new_rows")
        try:
            return self._write(same_key, tells_of_difference(self._table, self._incoming, self._changes()))
        except psycopg2.errors.UniqueViolation:
            self._cursor.execute("rollback to savepoint before_new_rows")
            return None

    def insert_or_update(self) -> int:
        """Write new and changed rows. Columns that did not come in keep their value; `_loaded_at` keeps the earliest,
        so that a past week that was scored with a row can be scored with it again.
        """
        changes = self._changes()
        is_written = " or ".join(changes or ["false"])
        if self._table.can_move:
            is_written = is_written_unless_it_moves(self._table, self._incoming, changes)
        updates = [f"{name} = excluded.{name}" for name in self._data]
        if LOADED_AT in self._values:
            updates.append(f"{LOADED_AT} = {_earliest(f'excluded.{LOADED_AT}')}")
        on_conflict = (
            f"on conflict ({', '.join(self._table.stored_key)}) do update "
            f"set {', '.join([*updates, f'{LOAD_ID} = excluded.{LOAD_ID}'])}"
        )
        return self._write(has_same_key(self._table, self._within.months), is_written, on_conflict)

    def _changes(self) -> list[str]:
        """SQL: what a `stored` row would get that it does not have."""
        changes = [f"stored.{name} is distinct from {self._values[name]}" for name in self._data]
        if LOADED_AT in self._values:
            changes.append(f"stored.{LOADED_AT} is distinct from {_earliest(self._values[LOADED_AT])}")
        return changes

    def _write(self, same_key: str, is_written: str, on_conflict: str = "") -> int:
        """Write the rows whose keys are not stored, and those of which `is_written` is true. Few are looked for in the
        order of their keys, so that each page of the index is read once and not for every row.
        """
        table, is_few = self._table, self._within.is_few
        with _key_by_key(self._cursor) if is_few else nullcontext():
            self._cursor.execute(
                f"insert into {table.relation} as stored ({', '.join(self._values)}, {LOAD_ID}) "
                f"select {', '.join(self._values.values())}, incoming.{LOAD} "
                f"from {incoming_rows(table, self._incoming, by_key=is_few)} "
                f"left join {table.relation} as stored on {same_key} "
                f"where stored.{table.key[0]} is null or {is_written} {on_conflict}"
            )
            return self._cursor.rowcount


def _earliest(loaded_at: str) -> str:
    return f"least(stored.{LOADED_AT}, {loaded_at})"


@contextmanager
def _key_by_key(cursor: Cursor) -> Iterator[None]:
    """Have PostgreSQL look each key up. Else it reads the whole table for few rows, since it takes a page of the index
    to be far from the next; or, for each of them, a month that was empty when it began, and that they fill.
    """
    plans = ("hashjoin", "mergejoin", "seqscan")
    cursor.execute("; ".join(f"set local enable_{plan} = off" for plan in plans))
    yield
    cursor.execute("; ".join(f"set local enable_{plan} = on" for plan in plans))
