"""Words for a score and for a change of it: the same in Slack, in e-mail and on the command line.

Numbers are rounded to one decimal for readers, never before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cs_pipeline.health.attribution import OVERRIDE_DRIVER
from cs_pipeline.health.band_sets import advice
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.steadiness import NO_BAND

Values = Mapping[str, float | None]
"""Metric values by name; None is missing."""

MOST_DRIVERS = 3
TO_SHOW = 0.05  # smaller differences round to nothing

OF_CAUSE = {
    "calendar": "by the calendar",
    "missing_data": "data appeared or went missing",
    "model_version": "new version of the score model",
    "override": "set by hand",
    "steadiness": "confirmed after weeks",
}


def words_for_cause(cause: str) -> str:
    """A cause as people read it; behaviour is the customer's own."""
    return OF_CAUSE.get(cause, cause.replace("_", " "))


def driver_name(metric: str) -> str:
    """A driver in words: its metric's, or those of a person's override."""
    return METRICS[metric].words if metric in METRICS else OF_CAUSE[OVERRIDE_DRIVER]


@dataclass(frozen=True)
class Driver:
    """A part of a change: its metric, its effect on the score, its cause, and the metric's values if they are known."""

    metric: str
    delta: float
    cause: str
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True)
class Change:
    """How a score differs from an earlier one; a score of None is not scored, or no earlier score."""

    from_score: float | None
    to_score: float | None
    from_band: str | None
    to_band: str | None
    drivers: Sequence[Driver] = ()


def explain_score(arithmetic: Arithmetic, values: Values, score: float | None, band: str | None) -> str:
    """Words for the score and band that a model gave to `values`; None for no score.

    They name what holds the score back, most to gain first, and what is not known. A band that the model's steadiness
    kept is said to be so.
    """
    model = arithmetic.model
    known = [values.get(name) for name in model.metric_names]
    row = np.array([[np.nan if value is None else value for value in known]])
    scores = arithmetic.score_values(row)
    is_unknown = np.isnan(scores.points[0])
    unknown = [METRICS[name].words for name, gone in zip(model.metric_names, is_unknown, strict=True) if gone]
    not_known = f" Not known: {_listed(unknown)}." if unknown else ""
    if score is None:
        if scores.band[0] == NO_BAND:
            return f"Not scored: only {scores.coverage[0]:.0%} of the data is there.{not_known}"
        return "Not scored: the events of the week did not arrive, and there was no score before it to hold."
    gains = _gains(arithmetic, scores.points)
    holding_back = [
        f"{METRICS[metric.metric].words} {value_in_words(metric.metric, float(row[0, column]))} "
        f"({_number(scores.points[0, column])} of {_number(metric.points)} points)"
        for column, metric in sorted(enumerate(model.metrics), key=lambda numbered: -gains[numbered[0]])
        if gains[column] >= TO_SHOW
    ]
    because = f" Held back by {_listed(holding_back)}." if holding_back else " Nothing holds it back."
    by_score = model.bands[int(arithmetic.bands(np.array([score]))[0])].band
    steady = "" if by_score == band else f" By its score alone it would be {by_score}: the model keeps bands steady."
    return f"Score {_number(score)} ({band}).{steady}{because}{not_known}"


def explain_change(change: Change) -> str:
    """Words for a change: from where to where, and its largest drivers with their values before and after."""
    if change.to_score is None:
        return f"No longer scored, too little data; was {_number(change.from_score or 0)} ({change.from_band})."
    to = f"{_number(change.to_score)} ({change.to_band})"
    if change.from_score is None:
        return f"First score: {to}."
    delta = change.to_score - change.from_score
    way = f"from {_number(change.from_score)} ({change.from_band}) to {to}"
    words = f"Score stayed at {to}" if abs(delta) < TO_SHOW else f"Score {'fell' if delta < 0 else 'rose'} {way}"
    parts = [_driver_in_words(driver) for driver in change.drivers[:MOST_DRIVERS]]
    if rest := change.drivers[MOST_DRIVERS:]:
        parts.append(f"{len(rest)} smaller ({_signed(sum(driver.delta for driver in rest))})")
    return f"{words}{': ' if parts else ''}{', '.join(parts)}."


def explain_severity(severity: int) -> str:
    """Words for what helps an account of a severity."""
    _, helps = advice(severity)
    return f"What helps: {_listed(helps)}."


def value_in_words(metric: str, value: float | None) -> str:
    """A metric's value with its unit: `62 %`, `yes`, `12 days`, `unknown`."""
    if value is None or value != value:
        return "unknown"
    match METRICS[metric].unit:
        case "ratio":
            return f"{_number(100 * value)} %"
        case "flag":
            return "yes" if value else "no"
        case "level":
            return {0: "none", 1: "not critical", 2: "critical"}.get(int(value), _number(value))
        case "days" | "hours" | "minutes" as unit:
            return f"{_number(value)} {unit.removesuffix('s') if value == 1 else unit}"
        case "ten":
            return f"{_number(value)} of 10"
        case _:
            return _number(value)


def _gains(arithmetic: Arithmetic, points: np.ndarray) -> list[float]:
    """How far the score would rise if one known metric had its full points, for each metric."""
    full = np.array([metric.points for metric in arithmetic.model.metrics])
    better = np.repeat(points, len(full), axis=0)
    np.fill_diagonal(better, np.where(np.isnan(points[0]), np.nan, full))
    return list(arithmetic.totals(better).score - arithmetic.totals(points).score)


def _driver_in_words(driver: Driver) -> str:
    words = driver_name(driver.metric)
    if driver.cause != "model_version" and (driver.before is not None or driver.after is not None):
        words += f" {value_in_words(driver.metric, driver.before)} → {value_in_words(driver.metric, driver.after)}"
    reason = f", {OF_CAUSE[driver.cause]}" if driver.cause in OF_CAUSE and driver.metric in METRICS else ""
    return f"{words} ({_signed(driver.delta)}{reason})"


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _number(value: float) -> str:
    text = f"{value:,.1f}".removesuffix(".0")
    return "0" if text == "-0" else text.replace("-", "−")


def _signed(value: float) -> str:
    text = _number(value)
    return text if text.startswith("−") or text == "0" else f"+{text}"
