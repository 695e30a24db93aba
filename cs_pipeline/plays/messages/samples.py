"""Make up an account to try templates with before anybody is enrolled: everything known, or nothing.

Only for checking templates; the sample company with a history is in `demo`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from cs_pipeline.plays.facts.catalogue import TRIGGER_FACTS, Fact, TriggerKind, facts_of_trigger

DUE_AT = datetime(2026, 3, 3, 8, tzinfo=UTC)

_KNOWN: Mapping[str, object] = MappingProxyType(
    {
        "account_name": "Nordwind Logistik",
        "tier": "pro",
        "plan": "Pro annual",
        "industry": "Logistics",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "owner_email": "olga.owner@example.com",
        "manager_email": "mara.manager@example.com",
        "executive_email": "emil.executive@example.com",
        "slack_channel": "#acct-nordwind",
        "sales_goal": "ship weekly reports without spreadsheets",
        "created_on": date(2024, 3, 28),
        "is_bad_fit": False,
        "is_churned": False,
        "mrr": 1_540.0,
        "arr": 18_480.0,
        "seats": 40,
        "score": 47.5,
        "band": "yellow",
        "severity": 1,
        "coverage": 0.9,
        "tenure_days": 705,
        "days_to_renewal": 30,
        "renewal_date": date(2026, 4, 2),
        "renewal_type": "auto",
        "renewal_product": "Platform",
        "renewal_arr": 18_480.0,
        "top_unused_core_feature": "automation_builder",
        "next_onboarding_step": "team_invited",
        "users_total": 31,
        "active_users_7d": 11,
        "active_users_30d": 17,
        "seat_utilisation": 0.425,
        "core_features_used": 2,
        "features_used_30d": 5,
        "features_available": 12,
        "feature_adoption_ratio": 5 / 12,
        "logins_7d": 38,
        "events_30d": 4_210,
        "days_since_last_login": 1,
        "days_since_last_touchpoint": 48,
        "value_delivered_365d": 61_300.0,
        "amount_saved_30d": 2_150.0,
        "orders_7d": 9,
        "value_ratio": 3.32,
        "nps_response": 7.0,
        "open_tickets": 3,
        "open_critical_tickets": 1,
        "days_since_last_qbr": 96,
        "onboarding_steps_completed": 2,
        "onboarding_steps_total": 5,
        "recipient_name": "Ada Lindqvist",
        "from_score": 72.0,
        "to_score": 47.5,
        "delta": -24.5,
        "from_band": "green",
        "to_band": "yellow",
        "from_severity": 0,
        "to_severity": 1,
        "cause": "behaviour",
        "drivers": [
            {"metric": "seat_utilisation", "delta": -10.0, "cause": "behaviour"},
            {"metric": "logged_in_7d", "delta": -10.0, "cause": "behaviour"},
            {"metric": "worst_open_ticket", "delta": -5.0, "cause": "behaviour"},
        ],
        "renewal_window": "30",
        "rule": "usage_drop",
        "alert_severity": "high",
        "feature": "send_time",
        "measured": 5.0,
        "held_against": 4.0,
        "anchor": "signup",
    }
)


def everything_known(kind: TriggerKind) -> dict[str, object]:
    """A value for every fact of the account and of a trigger of `kind`, and the recipient's name."""
    catalogue = facts_of_trigger(kind)
    of_the_trigger = (*TRIGGER_FACTS[kind], *(["drivers"] if kind == "score_change" else []))
    told = {name: _KNOWN[name] for name in ("recipient_name", *of_the_trigger) if name in _KNOWN}
    return {name: _KNOWN.get(name, _any_value(fact)) for name, fact in catalogue.items()} | told


def variants(kind: TriggerKind) -> list[tuple[str, dict[str, object]]]:
    """Accounts to try a template with, each with words for it."""
    known = everything_known(kind)
    return [
        ("of which everything is known", known),
        ("of which nothing is known", {}),
        ("that does well", known | {"seat_utilisation": 0.95, "severity": 0, "band": "green", "arr": 9_000.0}),
        ("that renews by signature", known | {"renewal_type": "manual"}),
    ]


@dataclass(frozen=True)
class SampleAction:
    """An action that is in no outbox, to a made-up recipient."""

    playbook: str
    family: str
    action_key: str = "sample"
    account_id: str = "sample"
    recipient: str | None = "ada.lindqvist@nordwind.example"
    due_at: datetime = DUE_AT


def _any_value(fact: Fact) -> object:
    match fact.type:
        case "number":
            return 12
        case "boolean":
            return True
        case "date":
            return DUE_AT.date() + timedelta(days=90)
        case "text":
            return fact.values[0] if fact.values else "Example"
