"""Scorecards of alert rules in words, tables and as a page. No arithmetic beyond formatting."""

from collections.abc import Sequence

import pandas as pd

from cs_pipeline.alerts.rule import OutcomeEvent
from cs_pipeline.alerts.scorecard import FEWEST, FEWEST_ACCOUNTS, Scorecard, Verdict
from cs_pipeline.backtest.measures import Interval
from cs_pipeline.html_pages import page_templates

EVENT_WORDS: dict[OutcomeEvent, str] = {
    "churn": "a departure",
    "contraction": "a contraction",
    "churn_or_contraction": "a departure or contraction",
    "expansion": "an expansion",
    "onboarding_incomplete": "an onboarding that was not completed",
    "renewal": "a renewal",
    "none": "nothing",
}
LEVELS: dict[Verdict, str] = {
    "keep": "good",
    "louder than useful": "weak",
    "never preceded an outcome": "poor",
    "too few to tell": "unknown",
    "not held against an outcome": "unknown",
}
"""How the verdict is coloured."""
NOTHING = "–"

_pages = page_templates("cs_pipeline.reports")


def in_words(card: Scorecard) -> str:
    """The verdict in one or two sentences, with the figures that it rests on."""
    window = (
        f"between {card.lead_days} and {card.within_days} days later"
        if card.lead_days
        else (f"within {card.within_days} days")
    )
    what = EVENT_WORDS[card.event]
    if card.verdict == "not held against an outcome":
        return f"It fired {card.fired:,} times; no outcome is set that it could be held against."
    if card.verdict == "too few to tell":
        if not card.fired:
            return "It has not fired."
        return (
            f"Of {card.fired:,} firing{'' if card.fired == 1 else 's'}, the window of {card.counted:,} is over. It "
            f"takes {FEWEST}, of {FEWEST_ACCOUNTS} accounts, to tell."
        )
    if card.precision is None:
        return ""
    if card.verdict == "never preceded an outcome":
        return (
            f"Of {card.counted:,} firings none was followed by {what} {window}; {card.base_rate:.1%} of the book was."
        )
    followed = (
        f"{card.followed:,} of {card.counted:,} firings were followed by {what} {window}: {_share(card.precision)}, "
        f"against {card.base_rate:.1%} of the book on the same days"
    )
    if card.lift is None:
        return f"{followed}."
    said = f"{followed}, {card.lift.value:.1f} times as often ({card.lift.low:.1f} to {card.lift.high:.1f})."
    if card.verdict == "louder than useful":
        return f"{said} That may be chance."
    if card.recall is None:
        return said
    lead = "" if card.median_lead_days is None else f", half of them at least {card.median_lead_days:.0f} days before"
    return f"{said} It saw {card.recall.value:.0%} of {card.outcomes:,} outcomes{lead}."


def table(cards: Sequence[Scorecard]) -> pd.DataFrame:
    """A row a rule: verdict and figures, as people read them."""
    columns = (
        "rule", "verdict", "fired", "precision", "base rate", "lift", "recall", "alone", "lead", "reset",
        "acknowledged", "put off", "touched", "censored",
    )  # fmt: skip
    return pd.DataFrame([_row(card) for card in cards], columns=list(columns))


def as_objects(cards: Sequence[Scorecard]) -> list[Scorecard]:
    """What programs read, an object a rule: every figure as a number, intervals as value, low and high."""
    return list(cards)


def headline(cards: Sequence[Scorecard]) -> str:
    """How many rules are worth their noise."""
    if not cards:
        return "No alert rule has been watched yet."
    counts = pd.Series([card.verdict for card in cards]).value_counts()
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in LEVELS if verdict in counts)
    first, last = min(card.first for card in cards), max(card.last for card in cards)
    return f"{len(cards)} rules from {first} to {last}: {said}."


def scorecard_page(cards: Sequence[Scorecard]) -> str:
    """The page as HTML, which needs nothing else. The same scorecards give the same page."""
    worst_last = sorted(cards, key=lambda card: (list(LEVELS).index(card.verdict), card.rule))
    return _pages.get_template("scorecard.html.j2").render(
        headline=headline(cards),
        cards=[(card, LEVELS[card.verdict], in_words(card), _figures(card)) for card in worst_last],
        fewest=FEWEST,
        fewest_accounts=FEWEST_ACCOUNTS,
    )


def _row(card: Scorecard) -> dict[str, object]:
    return {
        "rule": card.rule,
        "verdict": card.verdict,
        "fired": f"{card.fired:,}",
        "precision": NOTHING if card.precision is None else _share(card.precision),
        "base rate": _percent(card.base_rate, 1),
        "lift": NOTHING if card.lift is None else _times_of(card.lift),
        "recall": NOTHING if card.recall is None else f"{card.recall.value:.0%} of {card.outcomes:,}",
        "alone": _percent(card.recall_alone),
        "lead": _days(card.median_lead_days),
        "reset": _days(card.reset_days),
        "acknowledged": NOTHING if card.hours_to_acknowledge is None else f"{card.hours_to_acknowledge:.1f} h",
        "put off": _percent(card.put_off),
        "touched": _percent(card.touched),
        "censored": f"{card.censored:,}",
    }


def _figures(card: Scorecard) -> list[tuple[str, object]]:
    row = _row(card)
    names = {
        "fired": "Fired",
        "censored": "Window not over",
        "precision": "Precision",
        "base rate": "Base rate of the book",
        "lift": "Lift",
        "recall": "Recall",
        "alone": "Recall alone",
        "lead": "Median lead time",
        "reset": "Median time to reset",
        "acknowledged": "Median time to acknowledge",
        "put off": "Snoozed or silenced",
        "touched": "Followed by a touchpoint within 7 days",
    }
    return [(words, row[name]) for name, words in names.items() if row[name] != NOTHING]


def _share(interval: Interval) -> str:
    return f"{interval.value:.0%} ({interval.low:.0%} to {interval.high:.0%})"


def _times_of(interval: Interval) -> str:
    return f"{interval.value:.1f} × ({interval.low:.1f} to {interval.high:.1f})"


def _percent(share: float | None, digits: int = 0) -> str:
    return NOTHING if share is None else f"{share:.{digits}%}"


def _days(days: float | None) -> str:
    return NOTHING if days is None else f"{days:.0f} days"
