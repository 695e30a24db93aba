"""Open triggers: write each cause once, for ever. The only place that writes `cs.triggers`.

A kind of trigger says what its causes are, as a select of COLUMNS; live they are opened, for a past week the same
select is read. What a cause is belongs to the module of its kind, which kinds there are to `kinds`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.facts.catalogue import TriggerKind

COLUMNS = ("trigger_key", "kind", "account_id", "subject_id", "week", "occurred_at", "anchor_on", "facts")


@dataclass(frozen=True)
class Moment:
    """When causes are looked for: at `now`, after `week` (a Monday, the newest week that has ended) ended.

    `is_live`: for plays of today, which only what a live run found may start. Of a past week every cause counts,
    whatever found it, and none was missed.
    """

    week: date
    now: datetime
    is_live: bool

    @property
    def monday(self) -> date:
        """The day on which the week ended."""
        return self.week + WEEK

    @property
    def midnight(self) -> datetime:
        """The moment at which the week ended."""
        return datetime.combine(self.monday, time(), UTC)


@dataclass(frozen=True)
class Causes:
    """Causes of triggers as a select of COLUMNS and its parameters, in the order in which they are to be offered."""

    sql: str
    parameters: Mapping[str, object]


class Cause(NamedTuple):
    """One cause that Python found. `trigger_key` is unique for ever; `facts` are those of the trigger, as JSON."""

    trigger_key: str
    account_id: str
    week: date | None
    occurred_at: datetime
    anchor_on: date
    facts: str


def open_triggers(session: Session, causes: Causes) -> int:
    """Write a trigger for every cause that has none; returns how many are new."""
    sql = f"insert into cs.triggers ({', '.join(COLUMNS)})\n{causes.sql}\non conflict (trigger_key) do nothing"
    with session.cursor() as cursor:
        cursor.execute(sql, causes.parameters)
        return cursor.rowcount


def read_causes(session: Session, causes: Causes) -> list[tuple[object, ...]]:
    """The causes as rows of COLUMNS; nothing is written."""
    with session.cursor() as cursor:
        cursor.execute(causes.sql, causes.parameters)
        return cursor.fetchall()


def about_accounts(kind: TriggerKind, found: Iterable[Cause]) -> Causes:
    """Causes that Python found, in their order; each is about its account as a whole."""
    rows = list(found)
    names = Cause._fields
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return Causes(
        _ABOUT_ACCOUNTS, {"kind": kind, **{name: list(column) for name, column in zip(names, columns, strict=True)}}
    )


_ABOUT_ACCOUNTS = """
select trigger_key, %(kind)s, account_id, account_id, week, occurred_at, anchor_on, facts
from unnest(
    %(trigger_key)s::text[],
    %(account_id)s::text[],
    %(week)s::date[],
    %(occurred_at)s::timestamptz[],
    %(anchor_on)s::date[],
    %(facts)s::jsonb[]
) with ordinality as found (trigger_key, account_id, week, occurred_at, anchor_on, facts, position)
order by position
"""
