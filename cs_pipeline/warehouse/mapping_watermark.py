"""Read of a mapping only what changed since it was last read.

A mapping states when a row last changed, in a column `_changed_at`; of tables whose rows do not change, `_loaded_at`
says it too. It is read again from a span before the newest such moment, because rows may become visible later than
others that are newer. A mapping may let that moment reach into its own query, as `mapping.since()`: where that is
indexed, no more than the news is looked at. Everything is read at first, when the select has changed, and on demand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, exists
from cs_pipeline.warehouse.incoming import LOAD, Incoming, begin_load
from cs_pipeline.warehouse.mapping import CHANGED_AT, InstalledMapping, types_of
from cs_pipeline.warehouse.mapping_files import LED

SPAN = timedelta(days=2)
"""How much later than a newer one a row may become visible."""
_MOMENTS = ("timestamp with time zone", "timestamp without time zone", "date")


@dataclass(frozen=True)
class Reading:
    """How a mapping is read: by which column its news are known, if any, and from when on (None: whole)."""

    column: str | None
    since: datetime | None
    definition: str

    @property
    def condition(self) -> str:
        """The rows to read, in SQL."""
        return "true" if self.since is None else f"({self.column} >= %(since)s or {self.column} is null)"


def reading_of(cursor: Cursor, table: SourceTable, view: InstalledMapping, *, whole: bool) -> Reading:
    """How the mapping is to be read now. Accounts and users are read whole: their sources are about the same rows."""
    types = types_of(cursor, view.relation)
    column = next((name for name in _columns(table) if types.get(name) in _MOMENTS), None)
    cursor.execute("select md5(pg_get_viewdef(%s::regclass))", (view.relation,))
    (definition,) = cursor.fetchone() or ("",)
    if column is None or whole or not _has_rows(cursor, table):
        return Reading(column, None, definition)
    # No row came later than now: one that says so would keep from being read whatever comes until then.
    cursor.execute(
        "select least(mark, clock_timestamp()) from cs.mapping_marks where origin = %s and definition = %s",
        (view.origin, definition),
    )
    found = cursor.fetchone()
    return Reading(
        column, _with_what_can_be_loaded_now(cursor, table, view, column, found[0]) if found else None, definition
    )


def begin_reading(cursor: Cursor, table: SourceTable, view: InstalledMapping, reading: Reading) -> int:
    """A new load id. Rejects of rows that are read again are forgotten, those of others stay."""
    if reading.since is None:
        return begin_load(cursor, table.name, view.origin)
    cursor.execute(
        "delete from raw.raw_rejects where source_table = %s and origin = %s "
        "and (row_data ->> %s is null and rows = 1 or (row_data ->> %s)::timestamptz >= %s)",
        (table.name, view.origin, reading.column, reading.column, reading.since),
    )
    cursor.execute(
        "insert into cs.loads (source_table, origin) values (%s, %s) returning load_id", (table.name, view.origin)
    )
    (load_id,) = cursor.fetchone() or (0,)
    return load_id


def remember(cursor: Cursor, view: InstalledMapping, load_id: int, reading: Reading, incoming: Incoming) -> None:
    """Note how far the mapping has been read, by its incoming rows."""
    if reading.column is None:
        return
    cursor.execute(
        "insert into cs.mapping_marks as marks (origin, mark, definition, read_whole_at, read_at) "
        f"select %(origin)s, max({reading.column}::timestamptz), %(definition)s, clock_timestamp(), clock_timestamp() "
        f"from {incoming.relation} where {LOAD} = %(load)s and isfinite({reading.column}::timestamptz) "
        f"having max({reading.column}) is not null "
        "on conflict (origin) do update set mark = case when %(is_whole)s then excluded.mark "
        "else greatest(marks.mark, excluded.mark) end, definition = excluded.definition, read_at = excluded.read_at, "
        "read_whole_at = case when %(is_whole)s then excluded.read_at else marks.read_whole_at end",
        {
            "origin": view.origin,
            "definition": reading.definition,
            "load": load_id,
            "is_whole": reading.since is None,
        },
    )


def _has_rows(cursor: Cursor, table: SourceTable) -> bool:
    """False as long as everything was put aside, too: what is mended then is to be read."""
    if not exists(cursor, table):
        return False
    cursor.execute(f"select exists (select 1 from {table.relation})")
    return cursor.fetchone() == (True,)


def _columns(table: SourceTable) -> tuple[str, ...]:
    if table.name in LED:
        return ()
    return (CHANGED_AT, LOADED_AT) if table.append_only else (CHANGED_AT,)


def _with_what_can_be_loaded_now(
    cursor: Cursor, table: SourceTable, view: InstalledMapping, column: str, mark: datetime
) -> datetime:
    """The moment from which to read: a span before the mark, or the first row that was put aside for want of an account
    which has come since.
    """
    since = mark - SPAN
    if "account_id" not in table.column_names:
        return since
    cursor.execute(
        "select min((row_data ->> %s)::timestamptz) from raw.raw_rejects where source_table = %s and origin = %s "
        "and column_name = 'account_id' "
        "and row_data ->> 'account_id' in (select account_id from raw.accounts)",
        (column, table.name, view.origin),
    )
    (first,) = cursor.fetchone() or (None,)
    return min(since, first) if first else since
