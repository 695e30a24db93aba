"""Form of `routing.yaml`: rules that hand feedback on, the word lists they look for, and what negates a word.

Here belongs the form and nothing else: reading and laying the team's file over ours is in `library`, how words are
looked for in `words`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cs_pipeline.alerts.directory import Teams, reader_named

SaidIn = Literal["feedback", "survey", "ticket", "cancellation"]
Tier = Literal["starter", "pro", "enterprise"]
Priority = Literal["urgent", "high", "medium", "low"]
Kind = Literal[
    "feature_request", "complaint", "praise", "price_objection", "competitor_mention", "bug", "other", "untagged"
]
Question = Literal["outcome", "strength", "pain_point", "roadmap", "recommendation", "reason_for_leaving"]
PRIORITIES: tuple[Priority, ...] = ("urgent", "high", "medium", "low")
PEOPLE = ("owner", "manager", "executive")
"""Receivers whom accounts name."""
TEAM = "team"
"""The team's own channel (CS_PIPELINE_TEAM_CHANNEL)."""


def _receiver(text: str) -> str:
    return reader_named(text, [*PEOPLE, TEAM, *Teams.model_fields], "#ideas")


def _assignee(text: str) -> str:
    if text.startswith("#"):
        raise ValueError(f"'{text}' is a channel, and a task is a person's; expected an address or a role that has one")
    return reader_named(text, [*PEOPLE, *Teams.model_fields], "#ideas")


def _several(value: object) -> object:
    """One receiver is a list of one."""
    return (value,) if isinstance(value, str) else value


def _by_tier(value: object) -> object:
    """One priority is that of every tier."""
    return {"default": value} if isinstance(value, str) else value


def _at_least_one(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("is an empty list; name at least one")
    return values


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Receivers = Annotated[
    tuple[Annotated[str, AfterValidator(_receiver)], ...], AfterValidator(_at_least_one), BeforeValidator(_several)
]


class Condition(_Part):
    """What an item must be: all that is said holds, and of a list one suffices. `words` are names of word lists."""

    said_in: tuple[SaidIn, ...] = ()
    kind: tuple[Kind, ...] = ()
    question: tuple[Question, ...] = ()
    words: tuple[str, ...] = ()
    tier: tuple[Tier, ...] = ()
    score_at_least: float | None = Field(default=None, ge=0, le=1)
    score_at_most: float | None = Field(default=None, ge=0, le=1)
    renewal_within_days: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(
                f"says nothing, so everything would match; say one of {', '.join(type(self).model_fields)}"
            )
        return self


class Priorities(_Part):
    """How soon it is to be looked at, by the tier of the account; `default` where no tier is given or known."""

    default: Priority = "medium"
    starter: Priority | None = None
    pro: Priority | None = None
    enterprise: Priority | None = None

    def of(self, tier: str | None) -> Priority:
        """The priority of an account of that tier."""
        return (getattr(self, tier) if tier in ("starter", "pro", "enterprise") else None) or self.default


class Rule(_Part):
    """Items for which one of `when` holds go to `to`, unless a rule above took them."""

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    when: Annotated[tuple[Condition, ...], AfterValidator(_at_least_one)]
    to: Receivers
    priority: Annotated[Priorities, BeforeValidator(_by_tier)] = Priorities()
    task_for: Annotated[str, AfterValidator(_assignee)] | None = Field(
        default=None, description="who has a task in the CRM for each item besides: owner, manager, executive, a team"
    )
    origin: str = Field(default="the team", description="where the rule comes from: ids of the requirements, or ours")


class Examples(_Part):
    """Texts that a word list must find something in, and texts in which it must not."""

    found: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()


class WordList(_Part):
    """Words and phrases, each found as whole words; `word*` stands for all that begins so."""

    meaning: str = Field(min_length=1)
    words: tuple[str, ...]
    examples: Examples = Examples()

    @model_validator(mode="after")
    def _words_hold_letters(self) -> Self:
        for word in self.words:
            if not any(sign.isalnum() for sign in word):
                raise ValueError(f"'{word}' holds no letter and no digit")
        return self


class Negation(_Part):
    """What takes a word back: `before` it, with at most `words_between`, or right `after` it."""

    before: tuple[str, ...] = ()
    not_negating: tuple[str, ...] = ()
    words_between: int = Field(default=3, ge=0, le=10)
    after: tuple[str, ...] = ()


class Triage(_Part):
    """Where an item goes that no rule takes, and from which sources. The others are left where they are."""

    to: Receivers
    said_in: tuple[SaidIn, ...] = ("feedback", "survey", "cancellation")


class RoutingBook(_Part):
    """The whole: rules in their order, word lists by name, what negates, and triage."""

    told_within_days: int = Field(default=7, ge=1, le=90)
    looks_back_days: int = Field(default=365, ge=1, le=3_650)
    triage: Triage
    negation: Negation
    words: dict[str, WordList]
    rules: Annotated[tuple[Rule, ...], AfterValidator(_at_least_one)]

    def named(self, rule: str) -> Rule | None:
        """The rule of that name."""
        return next((each for each in self.rules if each.rule == rule), None)


class TeamFile(_Part):
    """`<config>/routing.yaml`: what it leaves out stays as shipped; `words` adds lists, or replaces ours."""

    told_within_days: int | None = Field(default=None, ge=1, le=90)
    looks_back_days: int | None = Field(default=None, ge=1, le=3_650)
    triage: Triage | None = None
    negation: Negation | None = None
    words: dict[str, WordList] = {}
    rules: Annotated[tuple[Rule, ...], AfterValidator(_at_least_one)] | None = None

    def over(self, shipped: RoutingBook) -> dict[str, Any]:
        """The fields of the book that this file and the shipped one make together."""
        own: Mapping[str, object] = {
            name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None
        }
        return {**{name: getattr(shipped, name) for name in RoutingBook.model_fields}, **own,
                "words": {**shipped.words, **self.words}}  # fmt: skip
