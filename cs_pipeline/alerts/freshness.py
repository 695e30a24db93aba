"""Say whether the inputs of a rule are fresh enough to be believed: a dead feed is not a customer who went quiet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, read_contract


@dataclass(frozen=True)
class Stale:
    """An input that is not fresh. `is_absent`: it has no row at all, so that nobody ever fed it."""

    source: str
    words: str
    is_absent: bool = False


def stale_inputs(session: Session, needs_fresh: Mapping[str, timedelta], as_of: datetime) -> list[Stale]:
    """Those of `needs_fresh` (table of the source contract: longest age) that are not fresh at `as_of`.

    Fresh is a table with a row that happened, or reached the warehouse, within its time before `as_of`.
    """
    found = (_stale(session, read_contract().tables[name], age, as_of) for name, age in needs_fresh.items())
    return [each for each in found if each is not None]


def _stale(session: Session, table: SourceTable, age: timedelta, as_of: datetime) -> Stale | None:
    view = f"staging.stg_{table.name}"
    with session.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [view])
        if cursor.fetchone() != (True,):
            return Stale(table.name, f"{table.name} is absent: {view} is not built", is_absent=True)
        for sql in _questions(view, table):
            cursor.execute(sql, {"since": as_of - age, "as_of": as_of, "source": table.name})
            if cursor.fetchone() is not None:
                return None
        cursor.execute(f"select 1 from {view} limit 1")
        if cursor.fetchone() is None:
            return Stale(table.name, f"{table.name} is absent or empty", is_absent=True)
    return Stale(table.name, f"{table.name} has no row newer than {_words(age)} at {as_of:%Y-%m-%d %H:%M} UTC")


def _questions(view: str, table: SourceTable) -> list[str]:
    """Selects that return a row if the table is fresh, the cheapest first.

    A catalogue, whose rows have no time of their own, is as fresh as it can be once it is there.
    """
    if not any(column.required and column.data_type in ("timestamptz", "date") for column in table.columns):
        return [f"select 1 from {view} limit 1"]
    within = f"select 1 from {view} where {{0}} > %(since)s and {{0}} <= %(as_of)s limit 1"
    loads = (
        "select 1 from cs.loads where source_table = %(source)s and rows_loaded > 0 "
        "and finished_at > %(since)s and finished_at <= %(as_of)s limit 1"
    )
    by_load = [] if table.append_only else [within.format(LOADED_AT)]  # of events nobody asks by a column without index
    return [*map(within.format, _times(table)), loads, *by_load]


def _times(table: SourceTable) -> list[str]:
    """The column that says when a row happened, or began; none where a table has no such thing."""
    times = [column for column in table.columns if column.data_type in ("timestamptz", "date")]
    times = [column for column in times if column.name != LOADED_AT]
    return [column.name for column in sorted(times, key=lambda column: not column.required)[:1]]


def _words(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.seconds // 3600} hours" if age.seconds >= 3600 else f"{age}"
