"""List the facts that conditions may ask for and templates may show: name, type, meaning, source.

Reading them belongs to `query`; what can be done with them in a condition to `playbooks.conditions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cs_pipeline.health.metrics import METRICS

FactType = Literal["number", "text", "boolean", "date"]
TriggerKind = Literal["score_change", "renewal_window", "segment_entry", "cadence", "lifecycle", "alert", "manual"]

ACCOUNT = "marts.dim_accounts"
WEEK = "marts.fct_account_weeks, newest week"
SCORE = "cs.health_scores, newest week, active model"
TODAY = "computed when asked"


@dataclass(frozen=True)
class Fact:
    """One fact of an account or a trigger. `values` are all that a text can be, where these are few."""

    name: str
    type: FactType
    meaning: str
    source: str
    values: tuple[str, ...] = ()


Catalogue = Mapping[str, Fact]
"""Facts by name."""

_TIERS = ("starter", "pro", "enterprise")
_STAGES = ("onboarding", "adoption", "retention")
_FIVE_STAGES = ("trial", "onboarding", "adoption", "growth", "renewal")
_RENEWALS = ("auto", "manual")
_WINDOWS = ("180", "90", "60", "30", "14", "7", "overdue")
_ANCHORS = ("signup", "churn", "churn_anniversary")
_ALERT_SEVERITIES = ("urgent", "high", "medium", "low")
_CAUSES = ("first_score", "behaviour", "calendar", "missing_data", "model_version", "override")

_OF_THE_ACCOUNT = (
    Fact("account_name", "text", "Name of the account", ACCOUNT),
    Fact("tier", "text", "Service tier", ACCOUNT, _TIERS),
    Fact("plan", "text", "Price plan", ACCOUNT),
    Fact("industry", "text", "Industry, as the source has it", ACCOUNT),
    Fact("country", "text", "Country, ISO 3166-1 alpha-2", ACCOUNT),
    Fact("timezone", "text", "Time zone, IANA name", ACCOUNT),
    Fact("owner_email", "text", "E-mail of the owner", ACCOUNT),
    Fact("manager_email", "text", "E-mail of the owner's manager", ACCOUNT),
    Fact("executive_email", "text", "E-mail of our executive for the account", ACCOUNT),
    Fact("slack_channel", "text", "Slack channel about the account", ACCOUNT),
    Fact("sales_goal", "text", "What the customer wants, as handed over by sales", ACCOUNT),
    Fact("created_on", "date", "Day of signup (UTC)", ACCOUNT),
    Fact("is_bad_fit", "boolean", "The product does not fit this customer", ACCOUNT),
    Fact("is_churned", "boolean", "The customer has left", ACCOUNT),
    Fact("mrr", "number", "Monthly recurring revenue", ACCOUNT),
    Fact("arr", "number", "Annual recurring revenue", ACCOUNT),
    Fact("seats", "number", "Seats bought", ACCOUNT),
)

_OF_THE_SCORE = (
    Fact("score", "number", "Health score, 0 to 100", SCORE),
    Fact("band", "text", "Band of the score, as its model names it", SCORE),
    Fact("severity", "number", "0 healthy, 1 watch, 2 at risk, 3 critical", SCORE),
    Fact("coverage", "number", "Share of the score's points whose metrics are known, 0 to 1", SCORE),
)

_OF_TODAY = (
    Fact("tenure_days", "number", "Days since signup", TODAY),
    Fact("days_to_renewal", "number", "Days until renewal_date; negative when it is past", TODAY),
    Fact(
        "renewal_date",
        "date",
        "Next renewal that is not signed yet; in a play about one subscription, that one's",
        TODAY,
    ),
    Fact("renewal_type", "text", "How it renews: by itself, or when somebody signs", TODAY, _RENEWALS),
    Fact(
        "renewal_done",
        "boolean",
        "The subscription that the play is about has a successor, perhaps for a day to come, or renewed by itself",
        TODAY,
    ),
    Fact(
        "ends_unrenewed",
        "boolean",
        "That subscription is known to end by its renewal date, and nothing follows it",
        TODAY,
    ),
    Fact(
        "renewal_moved",
        "boolean",
        "That subscription is gone, or renews on another day than the play counts from, or on none",
        TODAY,
    ),
    Fact("renewal_product", "text", "Product of the subscription that the play is about", TODAY),
    Fact("renewal_arr", "number", "Annual recurring revenue of that subscription", TODAY),
    Fact("is_high_value", "boolean", "arr is above CS_PIPELINE_HIGH_VALUE_ARR", TODAY),
    Fact("has_open_save_play", "boolean", "The account is in a play of the family save", TODAY),
    Fact(
        "has_reached_first_value",
        "boolean",
        "The account has had its first value (hours_to_first_value)",
        TODAY,
    ),
    Fact(
        "alert_is_over",
        "boolean",
        "The alert that started the play is over: what its rule looks for no longer holds; missing in other plays",
        "cs.alerts",
    ),
    Fact("referrals", "number", "Customers that this one brought us, as far as recorded", "staging.stg_referrals"),
    Fact(
        "responded_since_enrolment",
        "boolean",
        "Since the enrolment somebody of the account answered an e-mail or came to a call or meeting",
        "staging.stg_email_events, staging.stg_touchpoints",
    ),
)

_OF_THE_WEEK = (
    Fact("lifecycle_stage", "text", "Stage by tenure, three stages", WEEK, _STAGES),
    Fact("lifecycle_stage_five", "text", "Stage by tenure, five stages", WEEK, _FIVE_STAGES),
    Fact("is_trial", "boolean", "The account does not pay yet", WEEK),
    Fact("is_renewal_overdue", "boolean", "A contract's renewal date is past and nothing followed", WEEK),
    Fact("has_cancellation_request", "boolean", "The customer has asked to cancel", WEEK),
    Fact(
        "top_unused_core_feature",
        "text",
        "The core feature most used elsewhere that this account does not use",
        WEEK,
    ),
    Fact("next_onboarding_step", "text", "The first onboarding step not yet completed", WEEK),
    Fact("power_user_id", "text", "The user with the most activity", WEEK),
)


def _by_name(*facts: Fact) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts}


def _metrics() -> tuple[Fact, ...]:
    """Every metric that a score model may use, unless a newer value of the same name is above."""
    newer = _by_name(*_OF_THE_ACCOUNT, *_OF_TODAY)
    return tuple(
        Fact(metric.name, "number", f"{metric.words[0].upper()}{metric.words[1:]} ({metric.unit})", WEEK)
        for metric in METRICS.values()
        if metric.name not in newer
    )


ACCOUNT_FACTS: Catalogue = _by_name(*_OF_THE_ACCOUNT, *_OF_THE_SCORE, *_OF_TODAY, *_OF_THE_WEEK, *_metrics())
"""What every condition and every template may use."""

WEEK_COLUMNS: tuple[str, ...] = tuple(fact.name for fact in ACCOUNT_FACTS.values() if fact.source == WEEK)
"""The facts that are columns of `marts.fct_account_weeks`, taken as they are."""

_SCORE_CHANGE = "cs.score_changes"

TRIGGER_FACTS: Mapping[TriggerKind, Catalogue] = {
    "score_change": _by_name(
        Fact("from_score", "number", "Score of the week before", _SCORE_CHANGE),
        Fact("to_score", "number", "Score of the week", _SCORE_CHANGE),
        Fact("delta", "number", "to_score - from_score", _SCORE_CHANGE),
        Fact("from_band", "text", "Band of the week before", _SCORE_CHANGE),
        Fact("to_band", "text", "Band of the week", _SCORE_CHANGE),
        Fact(
            "from_severity",
            "number",
            "Severity of the week before; missing at the first score",
            _SCORE_CHANGE,
        ),
        Fact("to_severity", "number", "Severity of the week", _SCORE_CHANGE),
        Fact("cause", "text", "What most of the change comes from", _SCORE_CHANGE, _CAUSES),
    ),
    "renewal_window": _by_name(
        Fact(
            "renewal_window",
            "text",
            "The window that opened: days before renewal",
            "cs.renewal_windows",
            _WINDOWS,
        ),
    ),
    "segment_entry": _by_name(Fact("segment", "text", "The segment that the account entered", "cs.triggers")),
    "cadence": _by_name(
        Fact("cadence", "text", "The conversation that fell due", "cs.triggers"),
        Fact("every_days", "number", "Days between such conversations, by the rule that won", "cs.triggers"),
    ),
    "lifecycle": _by_name(Fact("anchor", "text", "What happened to the account", "cs.triggers", _ANCHORS)),
    "alert": _by_name(
        Fact("rule", "text", "The alert rule that fired", "cs.triggers"),
        Fact("alert_severity", "text", "Severity of the alert", "cs.triggers", _ALERT_SEVERITIES),
        Fact("entity", "text", "What it is about: the account, or a user or ticket of it, by id", "cs.triggers"),
        Fact(
            "user_id", "text", "The user it is about, where that is not the entity: of the rule's facts", "cs.triggers"
        ),
        Fact("feature", "text", "The feature it is about, of the rule's facts", "cs.triggers"),
        Fact("measured", "number", "What the rule measured", "cs.triggers"),
        Fact("held_against", "number", "The limit, or the earlier value, that it was held against", "cs.triggers"),
    ),
    "manual": {},
}
"""What a playbook's `trigger.when` may use besides, by kind of trigger."""


NAMED_BY: Mapping[TriggerKind, str] = {
    "segment_entry": "segment",
    "cadence": "cadence",
    "lifecycle": "anchor",
    "alert": "rule",
}
"""The fact that tells triggers of a kind apart. A playbook is offered only those that its trigger.when can hold for."""


def facts_of_trigger(kind: TriggerKind) -> Catalogue:
    """The catalogue for `trigger.when`: the facts of the trigger and of its account."""
    return {**ACCOUNT_FACTS, **TRIGGER_FACTS[kind]}
