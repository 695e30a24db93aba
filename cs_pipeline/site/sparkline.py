"""Reckon the points of small lines and of the chart of a score, which templates draw as SVG. No data access."""

from collections.abc import Sequence


def polyline(values: Sequence[float], *, low: float, high: float, width: int = 96, height: int = 22) -> str:
    """The points of a line through `values`, evenly spread, with `low` at the bottom; empty for fewer than two."""
    if len(values) < 2 or high <= low:
        return ""
    step = (width - 4) / (len(values) - 1)
    inner = height - 4
    places = [
        (2 + step * number, 2 + inner * (1 - (min(max(value, low), high) - low) / (high - low)))
        for number, value in enumerate(values)
    ]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
