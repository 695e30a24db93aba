"""Reckon the chart of a figure over the months, with its target, which a template draws as SVG. No data access."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 12, 24
LABELS = 8


@dataclass(frozen=True)
class TrendChart:
    """`line`: points of a polyline. `band`: of the interval around it, a polygon; empty where there is none.

    `dots`: x, y and the row of the month. `labels`: x and month. `grid`: y and figure of the lowest, the middle and
    the highest that is shown. `target`: its y, None where there is none.
    """

    line: str
    band: str
    dots: list[tuple[float, float, Mapping[str, Any]]]
    labels: list[tuple[float, str]]
    grid: list[tuple[float, float]]
    target: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def trend_chart(months: Sequence[Mapping[str, Any]], target: float | None) -> TrendChart | None:
    """The chart of rows with month, value, low and high, oldest first; None for fewer than two values."""
    known = [row for row in months if row["value"] is not None]
    if len(known) < 2:
        return None
    ends = [value for row in known for value in (row["value"], row["low"], row["high"]) if value is not None]
    ends += [] if target is None else [target]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    step = (WIDTH - LEFT - RIGHT) / (len(known) - 1)

    def at(number: int, value: float) -> tuple[float, float]:
        return (round(LEFT + step * number, 1), round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / span), 1))

    places = [at(number, row["value"]) for number, row in enumerate(known)]
    has_band = all(row["low"] is not None and row["high"] is not None for row in known)
    around = [
        *(at(number, row["high"]) for number, row in enumerate(known)),
        *(at(number, row["low"]) for number, row in reversed(list(enumerate(known)))),
    ] if has_band else []  # fmt: skip
    every = -(-len(known) // LABELS)
    return TrendChart(
        line=_points(places),
        band=_points(around),
        dots=[(x, y, row) for (x, y), row in zip(places, known, strict=True)],
        labels=[(places[number][0], f"{known[number]['month']:%b %y}") for number in range(0, len(known), every)],
        grid=[(at(0, value)[1], value) for value in (low, (low + high) / 2, low + span)],
        target=None if target is None else at(0, target)[1],
    )


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)
