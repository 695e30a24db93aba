"""When not to ask a customer for more, whatever the playbook says (S3-63…S3-68, C-26).

Steps that `ask` or `offer` are stopped; those that `inform` or `educate` are not. What is offered to keep a customer,
or to win one back, is not asking for more: it is for those who struggle, and a person approves it (C-27).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.conditions import Condition

MORE = ("ask", "offer")
RETAINING = ("save", "winback")
"""Families whose offers are there to keep a customer."""


@dataclass(frozen=True)
class NotReady:
    """Why an account is not asked for more: a condition over its facts, and its meaning for a reader."""

    meaning: str
    condition: Condition


def _when(text: str, meaning: str) -> NotReady:
    return NotReady(f"{meaning}: `{text}`", Condition.parse(text, ACCOUNT_FACTS))


# Thresholds are ours, where the sources name none: S3-63…S3-67 say struggling, recent, low, difficulties and too soon.
NOT_READY: Mapping[str, NotReady] = {
    "struggling": _when(
        "severity >= 2 or open_critical_tickets > 0", "asks or offers; the customer struggles with what it has"
    ),
    "open_complaints": _when("open_complaints > 0", "asks or offers; complaints are unresolved"),
    "low_usage": _when(
        "days_since_last_login > 7 or feature_adoption_ratio < 0.4", "asks or offers; the product is hardly used"
    ),
    "financial_difficulty": _when("overdue_invoices > 0", "asks or offers; invoices are overdue"),
    "just_onboarded": _when("tenure_days <= 30", "asks or offers; it is too soon"),
}
"""By reason, in the order in which they are asked. A fact that is missing stops nothing."""


def asks_for_more(due: pd.DataFrame) -> pd.Series:
    """Which rows (columns intent, family) ask the customer for more."""
    return due["intent"].isin(MORE) & ~due["family"].isin(RETAINING)
