"""Reckon the chart of a score, which a template draws as SVG: lines, dots by band, weeks below. No data access.

altair takes a tenth of a second a chart; a page of an account has less for all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 190
LEFT, RIGHT, TOP, BOTTOM = 42, 14, 12, 28  # room for the larger letters of a phone
LABELS = 6


@dataclass(frozen=True)
class ScoreChart:
    """`lines`: points of a polyline each, broken where a week has no score. `dots`: x, y, severity, words.

    `grid`: y and score. `labels`: x and week. `words` say what the chart shows.
    """

    lines: list[str]
    dots: list[tuple[float, float, int, str]]
    grid: list[tuple[float, int]]
    labels: list[tuple[float, str]]
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def score_chart(scores: Sequence[Mapping[str, Any]]) -> ScoreChart | None:
    """The chart of rows with week, score, band and severity, oldest first; None for fewer than two scores."""
    known = [row for row in scores if row["score"] is not None]
    if len(known) < 2:
        return None
    first, last = scores[0]["week"], scores[-1]["week"]
    days = max((last - first).days, 1)

    def x_of(row: Mapping[str, Any]) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (row["week"] - first).days / days, 1)

    def y_of(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - score / 100), 1)

    lines, run = [], []
    for row in scores:
        if row["score"] is None:
            lines, run = [*lines, run], []
        else:
            run.append(f"{x_of(row)},{y_of(row['score'])}")
    step = max(len(scores) // LABELS, 1)
    return ScoreChart(
        [" ".join(points) for points in [*lines, run] if len(points) > 1],
        [
            (
                x_of(row),
                y_of(row["score"]),
                int(row["severity"] or 0),
                f"{row['week'].day} {row['week']:%b %Y}: {row['score']:.0f} {row['band']}",
            )
            for row in known
        ],
        [(y_of(score), score) for score in (0, 25, 50, 75, 100)],
        [(x_of(row), f"{row['week'].day} {row['week']:%b}") for row in scores[::step]],
        f"Score by week: {known[0]['score']:.0f} in the week of {known[0]['week']}, lowest "
        f"{min(row['score'] for row in known):.0f}, highest {max(row['score'] for row in known):.0f}, "
        f"now {known[-1]['score']:.0f} ({known[-1]['band']})",
    )
