"""Say which rules are to be asked now, in which order, and about which moments."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.history.weeks import WEEK


def in_order(rules: Mapping[str, Rule]) -> list[Rule]:
    """The rules that are on, each after those that stand before it."""
    order: dict[str, Rule] = {}

    def add(name: str) -> None:
        if name not in order:
            for before in rules[name].alert.inhibited_by:
                add(before)
            order[name] = rules[name]

    for name in rules:
        add(name)
    return [rule for rule in order.values() if rule.is_on]


def due(rules: Mapping[str, Rule], now: datetime, weekly: date | None) -> list[tuple[Rule, datetime]]:
    """The rules to ask, in order, with the moment that each is asked about."""
    end_of_week = None if weekly is None else datetime.combine(weekly + WEEK, time(), UTC)
    return [
        (rule, as_of)
        for rule in in_order(rules)
        if rule.schedule.is_weekly == (weekly is not None)
        for as_of in [rule.schedule.due(now)]
        if as_of is not None and end_of_week in (None, as_of)
    ]
