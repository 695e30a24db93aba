"""The rules for a page: how each does, how often it fires, and what it was worth. Reads only.

What a scorecard's figures mean is in `alerts.scorecard`, how they are told in `scorecard`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg2.extensions import connection as Session

from cs_pipeline.alerts.live_scorecards import kept_scorecards
from cs_pipeline.alerts.rulebook import Rule
from cs_pipeline.alerts.scorecard import Scorecard
from cs_pipeline.reports.alerts.newest_evaluations import newest_evaluations
from cs_pipeline.sql_files import read_sql
from cs_pipeline.warehouse.rows import read_rows

WEEKS = 12
WEEK = timedelta(days=7)
COUNTED = 1_000
"""Open and held alerts of a rule are counted up to so many."""


@dataclass(frozen=True)
class RuleLine:
    """`health`: ok, no_data, error or held; off where the team switched it off, None where it was never evaluated.

    `weekly`: alerts that fired in each of the last WEEKS weeks, oldest first; `a_week` over those in which it was
    watched, None where it was not. `open` and `held` go up to COUNTED. `is_absent`: nobody feeds the tables that it
    needs.
    """

    rule: Rule
    health: str | None
    evaluated_at: datetime | None
    error: str | None
    is_absent: bool
    open: int
    held: int
    weekly: list[int]
    a_week: float | None
    card: Scorecard | None


def rule_lines(session: Session, rules: Mapping[str, Rule], now: datetime) -> list[RuleLine]:
    """A line for each rule: those that hold alerts or cannot be evaluated first, then those that fire most."""
    cards = {card.rule: card for card in kept_scorecards(session)}
    values = {"rules": list(rules), "since": now - WEEKS * WEEK, "until": now, "weeks": WEEKS, "counted": COUNTED}
    rows = read_rows(session, read_sql(__file__, newest_evaluations=newest_evaluations()), values)
    lines = [_line(rules[row["rule"]], row, cards.get(row["rule"]), now) for row in rows]
    return sorted(lines, key=lambda line: (not line.held, line.health != "error", -sum(line.weekly), line.rule.name))


def blind_rules(session: Session, rules: Mapping[str, Rule]) -> list[dict[str, Any]]:
    """Rules that could not be evaluated last: rule, health (error or no_data), error, is_absent; errors first."""
    watched = [name for name, rule in rules.items() if rule.is_on]
    return read_rows(session, _BLIND.format(newest_evaluations=newest_evaluations()), {"rules": watched})


def _line(rule: Rule, row: Mapping[str, Any], card: Scorecard | None, now: datetime) -> RuleLine:
    watched = 0.0 if row["watched_since"] is None else min((now - row["watched_since"]) / WEEK, WEEKS)
    return RuleLine(
        rule=rule,
        health=row["health"] if rule.is_on else "off",
        evaluated_at=row["evaluated_at"],
        error=row["error"] if row["health"] in ("error", "no_data") else None,
        is_absent=row["is_absent"],
        open=row["open"],
        held=row["held"],
        weekly=row["weekly"],
        a_week=sum(row["weekly"]) / max(watched, 1) if watched else None,
        card=card,
    )


_BLIND = """
select rule, health, error, is_absent
from ({newest_evaluations}) as newest
where health in ('error', 'no_data')
order by health, rule
"""
