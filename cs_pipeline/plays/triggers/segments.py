"""Segments: groups of accounts by a condition, and the triggers for those that enter one.

Who was in a segment when it was last looked at is remembered. So a segment that is new, or whose condition changed, is
looked at once without a trigger: nobody is written to for having been there all along.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated

from psycopg2.extensions import connection as Session
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.customers import facts_of_customers, this_monday
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.schema import Name, Text
from cs_pipeline.yaml_with_lines import Problem, validate

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


def open_segment_triggers(session: Session, segments: dict[str, Segment], as_of: AsOf) -> int:
    """Look at every segment, and write a trigger for each account that is new in one; returns how many are new.

    To be called once a week, when the week's scores are there: the facts are those of the week that ended.
    """
    members = [
        (name, account_id)
        for today in facts_of_customers(session, as_of)
        for name, segment in segments.items()
        for account_id in today.index[segment.condition.holds(today)]
    ]
    known = _looked_at_before(session, segments)
    parameters = {
        "segments": [name for name, _ in members],
        "account_ids": [account_id for _, account_id in members],
        "asked": list(segments),
        "known": known,
        "monday": this_monday(as_of),
    }
    with session.cursor() as cursor:
        cursor.execute(_ENTER, parameters)
        opened = cursor.rowcount
        cursor.execute(_REMEMBER, parameters)
    return opened


def _looked_at_before(session: Session, segments: dict[str, Segment]) -> list[str]:
    """Which segments have been looked at with the same condition; afterwards all have."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            with asked as (
                select * from unnest(%(names)s::text[], %(definitions)s::text[]) as asked (segment, definition)
            ),

            written as (
                insert into cs.segments (segment, definition)
                select segment, definition from asked
                on conflict (segment) do update set definition = excluded.definition
            )

            select segment from cs.segments inner join asked using (segment, definition)
            """,
            {"names": list(segments), "definitions": [each.condition.text for each in segments.values()]},
        )
        return [name for (name,) in cursor.fetchall()]


_ENTER = """
insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts)
select
    concat_ws(':', 'segment_entry', segment, account_id, %(monday)s::date - 7),
    'segment_entry',
    account_id,
    account_id,
    %(monday)s::date - 7,
    %(monday)s::timestamp at time zone 'UTC',
    %(monday)s::date,
    jsonb_build_object('segment', segment)
from unnest(%(segments)s::text[], %(account_ids)s::text[]) as found (segment, account_id)
where
    segment = any(%(known)s::text[])
    and not exists (
        select 1
        from cs.segment_members
        where segment_members.segment = found.segment and segment_members.account_id = found.account_id
    )
order by segment, account_id
on conflict (trigger_key) do nothing
"""

_REMEMBER = """
with found as (
    select * from unnest(%(segments)s::text[], %(account_ids)s::text[]) as found (segment, account_id)
),

left_behind as (
    delete from cs.segment_members
    where
        segment = any(%(asked)s::text[])
        and not exists (
            select 1
            from found
            where found.segment = segment_members.segment and found.account_id = segment_members.account_id
        )
)

insert into cs.segment_members (segment, account_id, entered_on)
select
    segment,
    account_id,
    %(monday)s::date
from found
on conflict do nothing
"""
