"""Schema of a playbook: its trigger, its audience, when it ends, and its steps, as YAML.

Here belongs the form of a playbook file, and its version. Which files there are, and what makes one sound beyond its
form, is in `reading`; what the facts in its conditions mean in `facts.catalogue`.
"""

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from cs_pipeline.channels.registry import KINDS
from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS, NAMED_BY, Catalogue, TriggerKind, facts_of_trigger
from cs_pipeline.plays.playbooks.conditions import Condition
from cs_pipeline.plays.playbooks.trials import Variant, variant_of

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60, description="lower-case words joined by _")]
Text = Annotated[str, Field(min_length=1)]

CustomerRole = Literal["point_of_contact", "champion", "executive_sponsor", "power_user", "user"]
OurRole = Literal["owner", "manager", "executive", "legal", "team", "sales"]
Intent = Literal["inform", "educate", "ask", "offer"]
Priority = Literal["low", "normal", "high", "urgent"]

if TYPE_CHECKING:
    ChannelName = str
else:
    ChannelName = Literal[tuple(KINDS)]

USER: CustomerRole = "user"
"""The user whom the alert is about that started the play, and nobody in that user's place."""

CUSTOMER_ROLES: tuple[CustomerRole, ...] = ("point_of_contact", "champion", "executive_sponsor", "power_user", USER)
LAST_DAY = 400  # furthest a step may lie from its anchor


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Trigger(_Part):
    """What starts the play: a kind of trigger, and which of them."""

    kind: TriggerKind
    when: Text | None = None

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, over the facts of the trigger and its account."""
        return _condition(self.when, facts_of_trigger(self.kind))


class ExitCondition(_Part):
    """When the play ends early, and the reason that is recorded."""

    when: Text
    reason: Name

    @cached_property
    def condition(self) -> Condition:
        """`when`, over the facts of the account."""
        return Condition.parse(self.when, ACCOUNT_FACTS)


class Milestone(_Part):
    """What should be reached by a day of the play, and by whom. For readers: nothing is done about it."""

    milestone: Text
    day: Annotated[int, Field(ge=0, le=LAST_DAY)]
    criteria: Annotated[tuple[Text, ...], Field(min_length=1)]
    responsible: Text


class Declared(_Part):
    """What a source says of a playbook without listing it; held against what is implemented (C-19), never filled up."""

    duration_days: Annotated[int, Field(ge=1)] | None = None
    owner: Text
    milestones: Annotated[int, Field(ge=1)] | None = None
    tasks: Annotated[int, Field(ge=1)]
    automation_percent: Annotated[int, Field(ge=0, le=100)]


class Step(_Part):
    """One message or task of the play. `day` counts from the anchor; before a renewal date it is negative.

    `checklist`: what a task asks for, point by point; `title`: what it is called. Templates may show both. `goal`: what
    it is to reach, by when; `variants`: other templates that are tried beside its own.
    """

    step: Name
    title: Text | None = None
    day: Annotated[int, Field(ge=-LAST_DAY, le=LAST_DAY)]
    days: Literal["calendar", "business"] = "calendar"
    channel: ChannelName
    to: CustomerRole | OurRole
    template: Name
    intent: Intent
    when: Text | None = None
    priority: Priority = "normal"
    kind: Literal["task", "opportunity"] = "task"
    needs_approval: bool = False
    checklist: tuple[Text, ...] = ()
    goal: Text | None = None
    variants: tuple[Variant, ...] = ()

    @model_serializer(mode="wrap")
    def _without_what_is_not_tried(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A step without goal and variants reads as it did before there were any, so that its version stays."""
        said = handler(self)
        return {name: value for name, value in said.items() if name not in ("goal", "variants") or value}

    def as_sent(self, playbook: str, account_id: str) -> "Step":
        """The step with the template that an account gets."""
        chosen = variant_of(playbook, self.step, self.variants, account_id)
        return self if chosen is None else self.model_copy(update={"template": chosen.template})

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """Its own template, and those of its variants."""
        return (self.template, *(variant.template for variant in self.variants))

    @property
    def waits_for_approval(self) -> bool:
        """A person has to approve it: the playbook says so, or it offers something."""
        return self.needs_approval or self.intent == "offer"

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, over the facts of the account."""
        return _condition(self.when, ACCOUNT_FACTS)


class Playbook(_Part):
    """A recipe: which accounts it is for, what is done for them on which day, and when it stops.

    `family`: an account is in one play of a family at a time; the higher `priority` wins. `reentry_after_days`: days
    after the end of a play before the same account (or subscription) may enter it again. `stale_after_days`: an
    action not taken within so many days of being due is dropped. `for_former_customers`: it is for accounts that have
    left, and ends when one of them returns. `hold_out`: the share of accounts that are left out, to tell its effect.
    `switched_on`: triggers start it; a shipped one that is off waits for a team's own file. It says nothing of what the
    play is, and so is no part of its version.
    """

    playbook: Name
    title: Text
    description: Text
    family: Name
    priority: Annotated[int, Field(ge=0, le=100)]
    requirements: tuple[str, ...] = ()
    switched_on: bool = True
    trigger: Trigger
    audience: Text | None = None
    exit: tuple[ExitCondition, ...] = ()
    reentry_after_days: Annotated[int, Field(ge=0, le=3650)] = 0
    stale_after_days: Annotated[int, Field(ge=1, le=60)] = 3
    for_former_customers: bool = False
    hold_out: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    declared: Declared | None = None
    milestones: tuple[Milestone, ...] = ()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @cached_property
    def version(self) -> str:
        """Content hash: 12 hex digits that change when, and only when, the meaning of the file does."""
        return hashlib.sha256(self.definition.encode()).hexdigest()[:12]

    @cached_property
    def definition(self) -> str:
        """The playbook as canonical JSON, from which `model_validate_json` makes it again."""
        return json.dumps(self.model_dump(mode="json", exclude={"switched_on"}), sort_keys=True, separators=(",", ":"))

    @cached_property
    def audience_condition(self) -> Condition | None:
        """`audience`, over the facts of the account."""
        return _condition(self.audience, ACCOUNT_FACTS)

    @cached_property
    def exit_conditions(self) -> dict[str, str]:
        """When the play ends early, in the words of the file, by reason."""
        return {ending.reason: ending.when for ending in reversed(self.exit)}

    @property
    def named_causes(self) -> list[str] | None:
        """Which triggers of its kind it is about, where its condition says so; None for all of them."""
        named_by, condition = NAMED_BY.get(self.trigger.kind), self.trigger.condition
        names = condition.required(named_by) if condition is not None and named_by is not None else None
        return None if names is None else list(names)

    @property
    def is_about_user(self) -> bool:
        """It writes to the user whom its alert is about: each user of an account has a play of their own."""
        return any(step.to == USER for step in self.steps)

    def step_named(self, name: str) -> Step:
        """The step `name`; KeyError when there is none."""
        return {step.step: step for step in self.steps}[name]


def _condition(text: str | None, catalogue: Catalogue) -> Condition | None:
    return None if text is None else Condition.parse(text, catalogue)
