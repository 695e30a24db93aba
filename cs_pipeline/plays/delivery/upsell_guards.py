"""Keep from asking a customer for more at the wrong time, whatever the playbook says (S3-63…S3-68, C-26).

Steps that `ask` or `offer` are stopped; those that `inform` or `educate` are not. What is offered to keep a customer,
or to win one back, is not asking for more: it is for those who struggle, and a person approves it (C-27).
"""

from collections.abc import Mapping

import pandas as pd

from cs_pipeline.plays.facts.catalogue import ACCOUNT_FACTS
from cs_pipeline.plays.playbooks.conditions import Condition

MORE = ("ask", "offer")
RETAINING = ("save", "winback", "re_engagement")
"""Families whose offers are there to keep a customer."""


# Thresholds are ours, where the sources name none: S3-63…S3-67 say struggling, recent, low, difficulties and too soon.
NOT_READY: Mapping[str, Condition] = {
    reason: Condition.parse(text, ACCOUNT_FACTS)
    for reason, text in {
        "struggling": "severity >= 2 or open_critical_tickets > 0",
        "open_complaints": "open_complaints > 0",
        "low_usage": "days_since_last_login > 7 or feature_adoption_ratio < 0.4",
        "financial_difficulty": "overdue_invoices > 0",
        "just_onboarded": "tenure_days <= 30",
    }.items()
}
"""By reason, in the order in which they are asked. A fact that is missing stops nothing."""


def asks_for_more(due: pd.DataFrame) -> pd.Series:
    """Which rows (columns intent, family) ask the customer for more."""
    return due["intent"].isin(MORE) & ~due["family"].isin(RETAINING)
