"""Alerts in words: their title, and what is to be known of one beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from cs_pipeline.alerts.rulebook import Rule, load_rules
from cs_pipeline.alerts.title import title_of
from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings

Row = Mapping[Any, Any]
"""A row of `lists.alerts`."""


def what_of(rule: Rule | None, row: Row) -> str:
    """What happened, as the rule says it; the rule's name where there is no such rule any more."""
    return title_of(rule.alert.title, row) if rule else f"{row['rule']} {row['entity'] or ''}".rstrip()


def rules_to_read() -> dict[str, Rule]:
    """The rules, for their titles; none where a file is wrong, which is told where rules are asked for."""
    try:
        return load_rules(load_settings().config)
    except UserError:
        return {}


def remarks(row: Row) -> str:
    """What a reader should know beside title and state, in a few words; empty where there is nothing."""
    told = [
        "held: too many at once" if row["is_held"] else "",
        "baseline" if row["is_baseline"] else "",
        f"behind {row['inhibited_by']}" if row["inhibited_by"] else "",
        f"came back {_times(row['reopened'])}" if row["reopened"] else "",
        f"acknowledged by {row['acknowledged_by']}" if row["acknowledged_by"] else "",
        _until("snoozed", row["snoozed_until"], row["snooze_reason"]),
        _until("silenced", row["silenced_until"], row["silence_reason"]),
        f"over {row['ended_at']:%Y-%m-%d %H:%M}: {CAUSES.get(row['cause'], row['cause'])}" if row["cause"] else "",
    ]
    return "; ".join(filter(None, told))


CAUSES = {
    "condition": "the condition ended",
    "rule_changed": "the rule was changed",
    "account_left": "the account left",
    "rule_removed": "the rule was removed",
    "expired": "it expired",
    "dismissed": "it was dismissed",
}
"""Why an alert is over, in words, by cause."""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _until(what: str, until: datetime | None, reason: str | None) -> str:
    if until is None or until is pd.NaT:
        return ""
    return f"{what} until {until:%Y-%m-%d %H:%M}" + (f" ({reason})" if reason else "")
