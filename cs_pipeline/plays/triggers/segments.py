"""Segments as triggers: groups of accounts by a condition, and who enters one.

Who was in a segment when it was last looked at is remembered. So a segment that is new, or whose condition changed, is
looked at once without a trigger: nobody is written to for having been there all along.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Protocol

import pandas as pd
from psycopg2.extensions import connection as Session
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.schema import Name, Text
from cs_pipeline.plays.triggers.causes import Cause, Causes, Moment, about_accounts
from cs_pipeline.sql_files import read_sql
from cs_pipeline.yaml_with_lines import Problem, validate

KIND = "segment_entry"
SHIPPED = Path(__file__).with_suffix(".yaml")


class Segment(BaseModel):
    """A group of accounts: those for which `when` holds. `requirements` are ids, for readers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segment: Name
    when: Text
    requirements: tuple[str, ...] = ()

    @cached_property
    def condition(self) -> Condition:
        """`when`, over the facts of the account."""
        return Condition.parse(self.when, ACCOUNT_FACTS)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]


def load_segments(config: Path | None) -> dict[str, Segment]:
    """The shipped segments, replaced by name and added to by `<config>/segments.yaml`. Raises InvalidFile."""
    own = [path for path in [config / SHIPPED.name if config is not None else None] if path and path.is_file()]
    return {each.segment: each for path in [SHIPPED, *own] for each in validate(_File, path, _problems).segments}


def _problems(file: _File) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, segment in enumerate(file.segments):
        earlier = first.setdefault(segment.segment, index)
        if earlier != index:
            yield Problem(("segments", index, "segment"), f"is the name of segment {earlier + 1} already")
        try:
            _ = segment.condition
        except ConditionError as error:
            yield Problem(("segments", index, "when"), str(error))


class Members(Protocol):
    """Remembers who was in which segment when it was last looked at."""

    def exchange(
        self, segments: Mapping[str, Segment], now: Mapping[str, set[str]], on: date, /
    ) -> dict[str, set[str]]:
        """Remember who is in each segment `now`; returns who was before, of the segments that were looked at before
        under the same condition.
        """
        ...


class SegmentEntries:
    """Looks at who is in which segment, and finds who was not in it before; see `kinds.Watch`."""

    def __init__(self, segments: Mapping[str, Segment], members: Members) -> None:
        self._segments = segments
        self._members = members
        self._found: dict[str, set[str]] = {name: set() for name in segments}

    def look(self, today: pd.DataFrame) -> None:
        """Look at a slice of customers: their facts, indexed by account id."""
        for name, segment in self._segments.items():
            self._found[name].update(today.index[segment.condition.holds(today)])

    def causes(self, moment: Moment) -> Causes:
        """A cause for every account that entered a segment. To be asked once a week, when the week's scores are there.

        A segment that was not looked at before has nobody entering it.
        """
        found, self._found = self._found, {name: set() for name in self._segments}
        before = self._members.exchange(self._segments, found, moment.monday)
        entered = [(name, account_id) for name in before for account_id in found[name] - before[name]]
        return about_accounts(KIND, (_cause(moment, *each) for each in sorted(entered)))


def _cause(moment: Moment, segment: str, account_id: str) -> Cause:
    key = f"{KIND}:{segment}:{account_id}:{moment.week}"
    return Cause(key, account_id, moment.week, moment.midnight, moment.monday, json.dumps({"segment": segment}))


def watch(config: Path | None, session: Session | None) -> SegmentEntries:
    """Looks at the segments of the configuration; who is in them is remembered in our tables, or without a session in
    memory.
    """
    return SegmentEntries(load_segments(config), MembersInMemory() if session is None else StoredMembers(session))


class MembersInMemory:
    """Remembers as long as it lives."""

    def __init__(self) -> None:
        self._before: dict[str, set[str]] = {}
        self._conditions: dict[str, str] = {}

    def exchange(self, segments: Mapping[str, Segment], now: Mapping[str, set[str]], _on: date) -> dict[str, set[str]]:
        """As `Members.exchange`."""
        conditions = {name: segment.condition.text for name, segment in segments.items()}
        known = {name: self._before[name] for name in segments if self._conditions.get(name) == conditions[name]}
        self._before, self._conditions = dict(now), conditions
        return known


class StoredMembers:
    """Remembers in cs.segments (the conditions) and cs.segment_members."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def exchange(self, segments: Mapping[str, Segment], now: Mapping[str, set[str]], on: date) -> dict[str, set[str]]:
        """As `Members.exchange`."""
        pairs = [(name, account_id) for name, accounts in now.items() for account_id in accounts]
        parameters = {
            "segments": list(segments),
            "conditions": [each.condition.text for each in segments.values()],
            "members_of": [name for name, _ in pairs],
            "account_ids": [account_id for _, account_id in pairs],
            "on": on,
        }
        with self._session.cursor() as cursor:
            cursor.execute(_LOOKED_AT, parameters)
            before: dict[str, set[str]] = {name: set() for (name,) in cursor.fetchall()}
            cursor.execute(
                "select segment, account_id from cs.segment_members where segment = any(%s::text[])", [list(before)]
            )
            for name, account_id in cursor:
                before[name].add(account_id)
            cursor.execute(_REMEMBER, parameters)
        return before


_LOOKED_AT = """
with asked as (
    select * from unnest(%(segments)s::text[], %(conditions)s::text[]) as asked (segment, definition)
),

written as (
    insert into cs.segments (segment, definition)
    select segment, definition from asked
    on conflict (segment) do update set definition = excluded.definition
)

select segment from cs.segments inner join asked using (segment, definition)
"""

_REMEMBER = read_sql(__file__, "remember")
