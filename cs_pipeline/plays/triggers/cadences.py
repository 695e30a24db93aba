"""Cadences: how often a conversation with an account is due, and the triggers for those that fell due.

Due dates lie on a grid: the last conversation and every so many days after it. A trigger is opened for what fell due
in the week that ended and for nothing older, so that a first week does not bring everything that was ever missed.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.facts.customers import facts_of_customers, this_monday
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.schema import Name, Text
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).with_suffix(".yaml")
WEEK_DAYS = 7


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """Where `when` holds, the conversation is due every so many days. `requirements` are ids, for readers."""

    when: Text
    every_days: Annotated[int, Field(ge=1, le=400)]
    requirements: tuple[str, ...] = ()

    @cached_property
    def condition(self) -> Condition:
        """`when`, over the facts of the account."""
        return Condition.parse(self.when, ACCOUNT_FACTS)


class Cadence(_Part):
    """A kind of conversation. `since`: the fact that says how many days ago the last one was; without one, signup."""

    cadence: Name
    since: Literal["days_since_last_touchpoint", "days_since_last_qbr"]
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    def every_days(self, today: pd.DataFrame) -> pd.Series:
        """Days between conversations for each row of facts: the fewest of all rules that hold (C-22), or missing."""
        every = pd.Series(float("nan"), index=today.index)
        for rule in self.rules:
            every = every.mask(rule.condition.holds(today) & ~(every <= rule.every_days), rule.every_days)
        return every

    def fell_due(self, today: pd.DataFrame) -> pd.DataFrame:
        """The accounts for which a conversation fell due in the last seven days: columns every_days, days_ago."""
        every = self.every_days(today)
        since = today[self.since].fillna(today["tenure_days"]).astype("float")
        days_ago = since % every
        is_due = every.notna() & (since >= every) & (days_ago < WEEK_DAYS)
        return pd.DataFrame({"every_days": every, "days_ago": days_ago})[is_due].astype(int)


class _File(_Part):
    cadences: Annotated[tuple[Cadence, ...], Field(min_length=1)]


def load_cadences(config: Path | None) -> dict[str, Cadence]:
    """The cadences of `<config>/cadences.yaml`, or the shipped ones where there is none. Raises InvalidFile."""
    own = None if config is None else config / SHIPPED.name
    path = own if own is not None and own.is_file() else SHIPPED
    return {each.cadence: each for each in validate(_File, path, _problems).cadences}


def _problems(file: _File) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for place, cadence in enumerate(file.cadences):
        earlier = first.setdefault(cadence.cadence, place)
        if earlier != place:
            yield Problem(("cadences", place, "cadence"), f"is the name of cadence {earlier + 1} already")
        for index, rule in enumerate(cadence.rules):
            try:
                _ = rule.condition
            except ConditionError as error:
                yield Problem(("cadences", place, "rules", index, "when"), str(error))


def open_cadence_triggers(session: Session, cadences: dict[str, Cadence], as_of: AsOf) -> int:
    """Write a trigger for every conversation that fell due in the week that ended; returns how many are new."""
    monday = this_monday(as_of)
    rows = [
        (name, account_id, monday - timedelta(days=days_ago), every_days, monday)
        for today in facts_of_customers(session, as_of)
        for name, cadence in cadences.items()
        for account_id, every_days, days_ago in cadence.fell_due(today).itertuples(name=None)
    ]
    if not rows:
        return 0
    with session.cursor() as cursor:
        opened = execute_values(
            cursor,
            """
            insert into cs.triggers (trigger_key, kind, account_id, subject_id, week, occurred_at, anchor_on, facts)
            select
                concat_ws(':', 'cadence', cadence, account_id, due_on),
                'cadence',
                account_id,
                account_id,
                monday - 7,
                monday::timestamp at time zone 'UTC',
                monday,
                jsonb_build_object('cadence', cadence, 'every_days', every_days, 'due_on', due_on)
            from (values %s) as due (cadence, account_id, due_on, every_days, monday)
            order by cadence, account_id
            on conflict (trigger_key) do nothing
            returning trigger_id
            """,
            rows,
            template="(%s, %s, %s::date, %s, %s::date)",
            page_size=10_000,
            fetch=True,
        )
    return len(opened)
