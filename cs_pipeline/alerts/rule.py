"""Form of an alert rule: what `meta.alert` of its dbt model may say, and what each field means.

Here belongs the form and nothing else: reading rules from the manifest is in `rulebook`, their SQL in
`dbt_project/models/alerts`.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

RuleType = Literal["onboarding", "renewal", "upsell", "risk", "support", "acquisition", "disagreement"]
Severity = Literal["urgent", "high", "medium", "low"]
Role = Literal[
    "owner", "manager", "executive", "vp_customer_success", "ceo",
    "sales", "support", "product", "development", "finance", "legal", "competitive_intelligence", "operations",
]  # fmt: skip
OutcomeEvent = Literal[
    "churn", "contraction", "churn_or_contraction", "expansion", "onboarding_incomplete", "renewal", "none"
]
SEVERITIES: tuple[Severity, ...] = ("urgent", "high", "medium", "low")
COLUMNS = {
    "as_of": "timestamptz",
    "account_id": "text",
    "entity": "text",
    "measured": "double precision",
    "held_against": "double precision",
    "facts": "jsonb",
}
"""Columns that the view of every rule has, in this order, with their types."""

_DURATION = re.compile(r"(\d+) (minute|hour|day|week)s?")


def _duration(value: object) -> object:
    """'10 days' as a timedelta; anything else is left to pydantic, which says what is wrong."""
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("write a number and a unit, such as '2 hours', '10 days' or '3 weeks'")
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _evaluations(value: object) -> object:
    found = re.fullmatch(r"(\d+) evaluations?", value.strip()) if isinstance(value, str) else None
    if found is None or int(found[1]) < 1:
        raise ValueError("write how many evaluations, such as '2 evaluations'")
    return int(found[1])


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Parameter(_Part):
    """A number, text or list that a team may set, for all accounts or by tier. Its default stands in the SQL."""

    meaning: str = Field(min_length=1)
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    by_tier: dict[Literal["starter", "pro", "enterprise"], float | str | tuple[str, ...]] = {}


class Notify(_Part):
    """Who is told. `to`: the first role that is known of owner, manager, executive, or a team; `channel` besides."""

    to: Role
    otherwise: Role | None = Field(default=None, alias="else")
    channel: str | None = None  # a Slack channel, such as '#support-agents', instead of a person
    digest: Literal["daily"] | None = "daily"  # None: at once. Urgent alerts are told at once in any case


class Escalate(_Part):
    """Whom to tell when nobody has acknowledged an alert for so long."""

    after: Duration
    to: Role


class Limits(_Part):
    """Firing for more new accounts at once than both is held, and a person decides."""

    accounts: int = Field(default=50, ge=1)
    share: float = Field(default=0.1, gt=0, le=1)  # of all accounts


class Outcome(_Part):
    """What the rule is held against in the scorecard: the event in (fired + lead_days, fired + within_days]."""

    event: OutcomeEvent
    within_days: int = Field(default=90, ge=1)
    lead_days: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _window_is_not_empty(self) -> "Outcome":
        if self.lead_days >= self.within_days:
            raise ValueError("lead_days must be less than within_days")
        return self


class Alert(_Part):
    """`meta.alert` of a rule's dbt model."""

    title: str = Field(min_length=1)  # {entity}, {person}, {measured:.0f}, or a fact of the row
    type: RuleType
    polarity: Literal["positive", "negative"]
    nature: Literal["state", "event"]
    mode: Literal["per_row", "once"] = "per_row"
    schedule: str = Field(description="hourly, daily, weekly (after scoring), or five cron fields in UTC")
    needs_fresh: dict[str, Duration] = {}
    hold_for: Duration = Field(default=timedelta(), alias="for")
    resolve_after: Annotated[int, BeforeValidator(_evaluations)] = 2
    again_after: Duration | None = None
    remind_every: Duration | None = None
    expires_after: Duration | None = None
    severity: Severity = "medium"
    notify: Notify
    escalate: Escalate | None = None
    inhibited_by: tuple[str, ...] = ()
    audience: str | None = None
    covers_churned: bool = False  # also of accounts that have left: for rules about leaving. Else leaving closes alerts
    limits: Limits = Limits()
    show_rows: int = Field(default=20, ge=1, le=100)
    first_run: Literal["quiet", "loud"] = "quiet"
    parameters: dict[str, Parameter] = {}
    outcome: Outcome | None = None
    loud: str | None = None  # why it fires for many accounts a week, where it does: said in the catalogue

    @model_validator(mode="after")
    def _events_expire(self) -> "Alert":
        if self.nature == "event" and self.expires_after is None:
            raise ValueError("an event does not resolve, so it needs expires_after")
        return self
