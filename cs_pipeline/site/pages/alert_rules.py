"""List alert rules: health, what is open, how often each fires, and what it was worth: its scorecard."""

from starlette.responses import Response

from cs_pipeline.reports.alerts.rule_list import COUNTED, WEEKS, RuleLine, rule_lines
from cs_pipeline.reports.alerts.scorecard import LEVELS, in_words
from cs_pipeline.site.page import Page, PageRequest
from cs_pipeline.site.sparkline import polyline


def show(asked: PageRequest) -> Response:
    """The rules, of one type, health or verdict where the address asks for it."""
    with asked.session() as session:
        lines = rule_lines(session, asked.rules, asked.now)
    wanted = {name: asked.asked(name) for name in ("type", "health", "verdict")}
    shown = [line for line in lines if all(not value or value == _of(line)[name] for name, value in wanted.items())]
    return asked.render(
        "alert_rules",
        rows=[(line, in_words(line.card) if line.card else "", _spark(line.weekly)) for line in shown],
        lines=lines,
        wanted=wanted,
        can_be={name: sorted({_of(line)[name] for line in lines} - {""}) for name in wanted},
        levels=LEVELS,
        weeks=WEEKS,
        totals=_totals(lines),
        counted_up_to=COUNTED,
    )


def _totals(lines: list[RuleLine]) -> dict[str, float]:
    healths = [line.health for line in lines]
    return {
        **{health: healths.count(health) for health in ("error", "no_data", "off")},
        "open": sum(line.open for line in lines),
        "held": sum(line.held for line in lines),
        "is_more": any(line.open >= COUNTED for line in lines),
        "a_week": sum(line.a_week or 0 for line in lines),
        "keep": sum(line.card is not None and line.card.verdict == "keep" for line in lines),
        "judged": sum(line.card is not None for line in lines),
    }


def _of(line: RuleLine) -> dict[str, str]:
    return {
        "type": line.rule.alert.type,
        "health": line.health or "not asked yet",
        "verdict": line.card.verdict if line.card else "no scorecard yet",
    }


def _spark(weekly: list[int]) -> str:
    return polyline(weekly, low=0, high=max(weekly)) if any(weekly) else ""


PAGE = Page("alert_rules", "/alerts/rules", show)
