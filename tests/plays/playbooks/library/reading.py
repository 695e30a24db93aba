"""How tests read the shipped playbooks: their steps by day, their conditions, and what a message says."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from cs_pipeline.channels.message import Message
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, Catalogue, facts_of_trigger
from cs_pipeline.plays.facts.query import typed
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.plays.triggers.segments import load_segments

PLAYBOOKS: Mapping[str, Playbook] = load_playbooks(None)
SHIPPED: Sequence[Playbook] = list(PLAYBOOKS.values())
SEGMENTS = load_segments(None)

Write = Callable[..., Message]


def on_day(playbook: Playbook, day: int) -> list[Step]:
    return [step for step in playbook.steps if step.day == day]


def the_step(playbook: Playbook, day: int, channel: str, kind: str = "task") -> Step:
    (step,) = [step for step in on_day(playbook, day) if (step.channel, step.kind) == (channel, kind)]
    return step


def days(playbook: Playbook) -> list[int]:
    return sorted({step.day for step in playbook.steps})


def holds(playbook: Playbook, condition: Condition | None, **facts: object) -> bool:
    assert condition is not None
    return _holds(condition, facts_of_trigger(playbook.trigger.kind), facts)


def starts(playbook: Playbook, **facts: object) -> bool:
    return holds(playbook, playbook.trigger.condition, **facts)


def is_for(playbook: Playbook, **facts: object) -> bool:
    return playbook.audience_condition is None or holds(playbook, playbook.audience_condition, **facts)


def is_in(segment: str, **facts: object) -> bool:
    return _holds(SEGMENTS[segment].condition, ACCOUNT_FACTS, facts)


def exit_reason(playbook: Playbook, **facts: object) -> str | None:
    found = [ending.reason for ending in playbook.exit if holds(playbook, ending.condition, **facts)]
    return found[0] if found else None


def words(message: Message) -> str:
    """The text of a message, each run of white space as one blank."""
    return " ".join(f"{message.subject} {message.body_text}".split())


def told(playbook: Playbook, step_name: str, write: Write, *parts: str) -> Step:
    """The step, once what it writes is found to contain every one of `parts`."""
    step = playbook.step_named(step_name)
    text = words(write(playbook, step))
    assert [part for part in parts if part.casefold() not in text.casefold()] == []
    return step


def _holds(condition: Condition, catalogue: Catalogue, facts: Mapping[str, object]) -> bool:
    frame = typed(pd.DataFrame([facts], dtype="object"), catalogue)
    return bool(condition.holds(frame).iloc[0])
