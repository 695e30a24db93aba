"""The account card: one customer in eight fields (S3-97), at a moment, as text and for programs.

HEALTH_SCORE has the band of the model that counts, or strictly Green from 80, Yellow from 50, else Red (S3-19, C-51).
STAGE is At-Risk while the score is, Expansion while a play of the family `expansion` runs, else the stage of the
lifecycle. PRIORITY is ours:

- urgent: asked to cancel, critical, or an urgent alert is open;
- high: at risk, or the contract renews within 30 days and the score is not healthy;
- medium: the score is not healthy, or the contract renews within 90 days;
- low: everything else.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.backtest.likelihood import in_words
from cs_pipeline.errors import UserError
from cs_pipeline.health.explanation import driver_name
from cs_pipeline.plays.facts.query import ask_marts
from cs_pipeline.reports.alerts.text import rules_to_read, what_of
from cs_pipeline.reports.dated.words import Money, account_words, day, signed
from cs_pipeline.sql_files import read_sql

Stage = Literal["Onboarding", "Adoption", "Retention", "Expansion", "At-Risk"]
Priority = Literal["low", "medium", "high", "urgent"]

STRICT_BANDS = ((80.0, "Green"), (50.0, "Yellow"), (0.0, "Red"))
RENEWS_VERY_SOON_DAYS = 30
RENEWS_SOON_DAYS = 90
DRIVERS_TOLD = 2
ALERTS_TOLD = 3
NOTHING_PLANNED = "Nothing is planned"
Row = Mapping[Hashable, Any]


@dataclass(frozen=True)
class HealthScore:
    """A score from 0 to 100 and its band; both None where there is none of the last five weeks."""

    score: float | None
    band: str | None


@dataclass(frozen=True)
class AccountCard:
    """The eight fields. What nobody knows is None."""

    customer: str
    tier: str | None
    health_score: HealthScore
    stage: Stage | None
    last_contact: date | None
    next_action: str
    priority: Priority
    notes: str


def account_card(
    session: Session, account: str, as_of: datetime, money: Money, *, is_strict: bool = False
) -> AccountCard:
    """The card of an account (its id or exact name) with what was known at a moment.

    Raises UserError while the marts are not built, or where there was no such account.
    """
    rows = ask_marts(
        session, read_sql(__file__), {"account": account, "as_of": as_of}, who_needs="The card needs"
    ).to_dict("records")
    if not rows:
        raise UserError(
            f"There was no account '{account}' on {as_of:%Y-%m-%d}; give the id of an account, or its exact name"
        )
    (row,) = rows
    return AccountCard(
        customer=account_words(row["account_name"], row["account_id"]),
        tier=str(row["tier"]).capitalize() if row["tier"] else None,
        health_score=_health(row, is_strict=is_strict),
        stage=_stage(row),
        last_contact=row["last_contact_on"],
        next_action=_next_action(row),
        priority=_priority(row),
        notes=" ".join(_notes(row, money)) or "Nothing stands out.",
    )


def card_lines(card: AccountCard) -> Iterator[str]:
    """The card as text, a field a line, in the order of S3-97."""
    health = card.health_score
    score = "unknown" if health.score is None else f"{_score_words(health.score)} ({health.band})"
    yield f"CUSTOMER: {card.customer}"
    yield f"TIER: {card.tier or 'unknown'}"
    yield f"HEALTH_SCORE: {score}"
    yield f"STAGE: {card.stage or 'unknown'}"
    yield f"LAST_CONTACT: {card.last_contact or 'none known'}"
    yield f"NEXT_ACTION: {card.next_action}"
    yield f"PRIORITY: {card.priority}"
    yield f"NOTES: {card.notes}"


def _health(row: Row, *, is_strict: bool) -> HealthScore:
    if pd.isna(row["score"]):
        return HealthScore(None, None)
    score = float(row["score"])
    band = next(name for lowest, name in STRICT_BANDS if score >= lowest) if is_strict else row["band"]
    return HealthScore(score, band)


def _score_words(score: float) -> str:
    """A whole number, unless rounding would carry it over the edge of a band."""
    whole = f"{score:.0f}"
    return (
        whole if float(whole) == score or float(whole) not in {lowest for lowest, _ in STRICT_BANDS} else f"{score:.1f}"
    )


def _stage(row: Row) -> Stage | None:
    if row["is_at_risk"]:
        return "At-Risk"
    if row["is_expanding"]:
        return "Expansion"
    return _STAGES.get(row["lifecycle_stage"])


_STAGES: Mapping[str | None, Stage] = {
    "onboarding": "Onboarding",
    "adoption": "Adoption",
    "retention": "Retention",
}


def _priority(row: Row) -> Priority:
    is_unwell = not pd.isna(row["severity"]) and row["severity"] > 0
    is_critical = not pd.isna(row["severity"]) and row["severity"] >= 3
    days = row["days_to_renewal"]
    renews_in = None if pd.isna(days) else int(days)
    if row["has_cancellation_request"] or is_critical or row["has_urgent_alert"]:
        return "urgent"
    if row["is_at_risk"] or (is_unwell and renews_in is not None and renews_in <= RENEWS_VERY_SOON_DAYS):
        return "high"
    if is_unwell or (renews_in is not None and renews_in <= RENEWS_SOON_DAYS):
        return "medium"
    return "low"


def _next_action(row: Row) -> str:
    if not row["next_step"]:
        return NOTHING_PLANNED
    who = ", ".join(filter(None, [row["next_channel"], str(row["next_role"]).replace("_", " "), row["next_waits_for"]]))
    return f"{row['next_due_on']} {str(row['next_step']).replace('_', ' ')} ({who})"


def _notes(row: Row, money: Money) -> Iterator[str]:
    """What to know before the call: what it pays, when it renews, what moved its score, what is open, what runs."""
    if not pd.isna(row["arr"]):
        yield f"Pays {money(row['arr'])} a year."
    if row["has_cancellation_request"]:
        yield "Asked to cancel."
    days = row["days_to_renewal"]
    if not pd.isna(days):
        yield (
            f"Renewal overdue since {day(row['renewal_date'])}."
            if days < 0
            else f"Renews on {day(row['renewal_date'])}."
        )
    if (moved := _moved(row)) is not None:
        yield moved
    if not pd.isna(row["likelihood"]):
        yield in_words(row["likelihood"], row["likelihood_low"], row["likelihood_high"])
    if row["alerts"]:
        rules = rules_to_read()
        told = [
            what_of(rules.get(each["rule"]), {**each, "account_name": row["account_name"]}) for each in row["alerts"]
        ]
        more = f"; {len(told) - ALERTS_TOLD:,} more" if len(told) > ALERTS_TOLD else ""
        yield f"Open alerts: {'; '.join(told[:ALERTS_TOLD])}{more}."
    if row["plays"]:
        yield f"In play: {', '.join(row['plays'])}."
    if not pd.isna(row["score"]) and row["scored_week"] != row["of_week"]:
        yield f"The score is of the week {row['scored_week']}."


def _moved(row: Row) -> str | None:
    if pd.isna(row["score"]) or pd.isna(row["from_score"]) or abs(row["score"] - row["from_score"]) < 0.5:
        return None
    change = row["score"] - row["from_score"]
    drivers = [
        f"{driver_name(metric)} {signed(delta)}"
        for metric, delta in zip(row["driver_metrics"], row["driver_deltas"], strict=True)
        if delta * change > 0
    ][:DRIVERS_TOLD]
    because = f": {', '.join(drivers)}" if drivers else ""
    return f"Score {'fell' if change < 0 else 'rose'} from {row['from_score']:.0f} to {row['score']:.0f}{because}."
