"""Say whether the inputs of a rule are fresh enough to be believed: a dead feed is not a customer who went quiet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session
from psycopg2.extensions import cursor as Cursor

from cs_pipeline.warehouse.contract import LOADED_AT, SourceTable, read_contract
from cs_pipeline.warehouse.spread import is_spread


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
    return Freshness().stale_inputs(session, needs_fresh, [as_of])[as_of]


class Freshness:
    """Which inputs are fresh, as far as it was asked: rules of one replay that need the same inputs ask once."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, timedelta, tuple[datetime, ...]], tuple[str | None, Sequence[datetime]]] = {}

    def stale_inputs(
        self, session: Session, needs_fresh: Mapping[str, timedelta], moments: Sequence[datetime]
    ) -> dict[datetime, list[Stale]]:
        """As the function `stale_inputs`, at each of these moments."""
        found: dict[datetime, list[Stale]] = {moment: [] for moment in moments}
        for name, age in needs_fresh.items():
            question = name, age, tuple(moments)
            if question not in self._answers:
                self._answers[question] = _stale_at(session, read_contract().tables[name], age, moments)
            words, stale = self._answers[question]
            for moment in stale:
                then = words or f"{name} has no row newer than {_words(age)} at {moment:%Y-%m-%d %H:%M} UTC"
                found[moment].append(Stale(name, then, is_absent=words is not None))
        return found


def _stale_at(
    session: Session, table: SourceTable, age: timedelta, moments: Sequence[datetime]
) -> tuple[str | None, Sequence[datetime]]:
    """The moments at which the table is not fresh; and in words, that it has no row at all."""
    view = f"staging.stg_{table.name}"
    with session.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [view])
        if cursor.fetchone() != (True,):
            return f"{table.name} is absent: {view} is not built", moments
        stale = moments
        for condition in _is_fresh(view, table):
            fresh = _moments_of(cursor, condition, {"age": age, "source": table.name}, stale)
            stale = [moment for moment in stale if moment not in fresh]
            if not stale:
                return None, stale
        cursor.execute(f"select 1 from {view} limit 1")
        return (f"{table.name} is absent or empty" if cursor.fetchone() is None else None), stale


def _moments_of(
    cursor: Cursor, condition: str, parameters: Mapping[str, object], moments: Sequence[datetime]
) -> set[datetime]:
    """The moments at which the condition holds. Where tables are spread over servers, each is asked about by itself:
    beside moments that are listed, one server looks nothing up on the others.
    """
    together = [[moment] for moment in moments] if is_spread(cursor) else [list(moments)]
    held: set[datetime] = set()
    for some in together:
        if len(some) == 1:
            from_moments, told = condition.replace("asked.as_of", "%(moment)s::timestamptz"), {"moment": some[0]}
            cursor.execute(f"select %(moment)s::timestamptz where {from_moments}", {**parameters, **told})
        else:
            cursor.execute(
                f"select asked.as_of from unnest(%(moments)s::timestamptz[]) as asked (as_of) where {condition}",
                {**parameters, "moments": some},
            )
        held |= {as_of for (as_of,) in cursor.fetchall()}
    return held


def _is_fresh(view: str, table: SourceTable) -> Iterator[str]:
    """Conditions, the cheapest first, of which one holds at the moment asked.as_of if the table is fresh then.

    Rows that need not say when they happened are a feed that stopped when something of it was known by then and
    nothing of late; where nothing says when, they are as fresh as they can be once they are there.
    """
    happened, is_dated = _times(table)
    loads = "select 1 from cs.loads where source_table = %(source)s and rows_loaded > 0 and"
    yield f"exists ({loads} finished_at > asked.as_of - %(age)s and finished_at <= asked.as_of)"
    yield f"exists (select 1 from {view} where {_within(happened)})"
    if not table.append_only:  # of events nobody asks by a column without index
        yield f"exists (select 1 from {view} where {_within([LOADED_AT])})"
    if not is_dated:
        known = " or ".join(f"{name} <= asked.as_of" for name in happened)
        yield (
            f"exists (select 1 from {view}) and not exists (select 1 from {view} where {known}) "
            f"and not exists ({loads} finished_at <= asked.as_of)"
        )


def _within(times: Sequence[str]) -> str:
    return " or ".join(f"({name} > asked.as_of - %(age)s and {name} <= asked.as_of)" for name in times)


def _times(table: SourceTable) -> tuple[list[str], bool]:
    """The columns that say when a row happened, or began; and whether every row says it."""
    times = [column for column in table.columns if column.data_type in ("timestamptz", "date")]
    required = [column.name for column in times if column.required]
    return (required[:1], True) if required else ([column.name for column in times], False)


def _words(age: timedelta) -> str:
    return f"{age.days} days" if age.days else f"{age.seconds // 3600} hours" if age.seconds >= 3600 else f"{age}"
