"""Cadences as triggers: how often a conversation with an account is due, and which of them fell due.

Due dates lie on a grid: the last conversation and every so many days after it. A trigger is opened for what fell due
in the week that ended and for nothing older, so that a first week does not bring everything that was ever missed.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.condition_types import ConditionError
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.reading import load_playbooks, switched_on
from cs_pipeline.plays.playbooks.schema import Name, Text
from cs_pipeline.plays.triggers.causes import Cause, Causes, Moment, about_accounts
from cs_pipeline.yaml_with_lines import Problem, validate

SHIPPED = Path(__file__).with_suffix(".yaml")
KIND = "cadence"
WEEK_DAYS = 7


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CadenceRule(_Part):
    """Where `when` holds, the conversation is due every so many days. `requirements` are ids, for readers."""

    when: Text
    every_days: Annotated[int, Field(ge=1, le=400)]
    requirements: tuple[str, ...] = ()

    @cached_property
    def condition(self) -> Condition:
        """`when`, over the facts of the account."""
        return Condition.parse(self.when, ACCOUNT_FACTS)


class Cadence(_Part):
    """A kind of conversation. `since`: the fact that says how many days ago the last one was; without one, signup.

    `tenure_days` counts from signup in any case: what is due every so many days, whatever was said in between.
    """

    cadence: Name
    since: Literal["days_since_last_touchpoint", "days_since_last_qbr", "tenure_days"]
    rules: Annotated[tuple[CadenceRule, ...], Field(min_length=1)]

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


class CadencesDue:
    """Looks for conversations that fell due in the week that ended; see `kinds.Watch`."""

    def __init__(self, cadences: Mapping[str, Cadence]) -> None:
        self._cadences = cadences
        self._due: list[tuple[str, str, int, int]] = []  # cadence, account, every_days, days_ago

    def look(self, today: pd.DataFrame) -> None:
        """Look at a slice of customers: their facts, indexed by account id."""
        self._due += [
            (name, str(account_id), every_days, days_ago)
            for name, cadence in self._cadences.items()
            for account_id, every_days, days_ago in cadence.fell_due(today).itertuples(name=None)
        ]

    def causes(self, moment: Moment) -> Causes:
        """A cause for every conversation that fell due, for ever named by the day on which it did."""
        due, self._due = self._due, []
        return about_accounts(KIND, (_cause(moment, *each) for each in sorted(due)))


def _cause(moment: Moment, cadence: str, account_id: str, every_days: int, days_ago: int) -> Cause:
    due_on = moment.monday - timedelta(days=days_ago)
    facts = {"cadence": cadence, "every_days": every_days, "due_on": due_on.isoformat()}
    key = f"{KIND}:{cadence}:{account_id}:{due_on}"
    return Cause(key, account_id, moment.week, moment.midnight, moment.monday, json.dumps(facts))


def watch(config: Path | None) -> CadencesDue:
    """Looks for the cadences of the configuration that a playbook waits for. Raises InvalidFile."""
    waiting = [each for each in switched_on(load_playbooks(config)).values() if each.trigger.kind == KIND]
    named = [each.named_causes for each in waiting]
    return CadencesDue(
        {
            name: cadence
            for name, cadence in load_cadences(config).items()
            if any(names is None or name in names for names in named)
        }
    )
