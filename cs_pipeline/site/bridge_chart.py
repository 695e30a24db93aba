"""Reckon the bridge of MRR as a chart of steps, which a template draws as SVG. No data access."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 720, 230
LEFT, RIGHT, TOP, BOTTOM = 10, 10, 24, 26
STEPS = (
    ("new", "New"), ("reactivation", "Came back"), ("expansion", "Expansion"), ("moved_in", "Moved in"),
    ("moved_out", "Moved out"), ("contraction", "Contraction"), ("churn", "Churn"),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A bar: its place, `kind` (total, gain or loss), its name and its figure."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    name: str
    value: float


@dataclass(frozen=True)
class BridgeChart:
    """`joins`: lines from the end of a bar to the next, as x1, x2, y. The axis begins above 0: `floor`."""

    steps: list[Step]
    joins: list[tuple[float, float, float]]
    floor: float
    width: int = WIDTH
    height: int = HEIGHT


def bridge_chart(bridge: Mapping[str, Any] | None) -> BridgeChart | None:
    """The chart of a row of marts.fct_mrr_bridge; None where there is none, or no MRR at both of its ends."""
    if bridge is None or (not bridge["opening_mrr"] and not bridge["closing_mrr"]):
        return None
    changes = [(name, _change(bridge, column)) for column, name in STEPS if bridge.get(column)]
    bars = [("Opened", 0.0, float(bridge["opening_mrr"]), "total")]
    level = float(bridge["opening_mrr"])
    for name, change in changes:
        bars.append((name, level, level + change, "gain" if change > 0 else "loss"))
        level += change
    bars.append(("Closed", 0.0, float(bridge["closing_mrr"]), "total"))
    levels = [end for _, _, end, _ in bars]
    spread = max(levels) - min(levels)
    floor = max(0.0, min(levels) - max(spread, max(levels) * 0.02))
    span = max(max(levels) - floor, 1.0)
    slot = (WIDTH - LEFT - RIGHT) / len(bars)

    def y_of(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - (max(value, floor) - floor) / span), 1)

    steps: list[Step] = []
    joins: list[tuple[float, float, float]] = []
    for number, (name, start, end, kind) in enumerate(bars):
        x = round(LEFT + slot * number + slot * 0.15, 1)
        top, bottom = sorted((y_of(start), y_of(end)))
        value = end if kind == "total" else end - start
        steps.append(Step(x, top, round(slot * 0.7, 1), round(max(bottom - top, 1.5), 1), kind, name, value))
        if number + 1 < len(bars):
            joins.append((x, round(x + slot * 1.7, 1), y_of(end)))
    return BridgeChart(steps, joins, floor)


def _change(bridge: Mapping[str, Any], column: str) -> float:
    """How much a column changes the MRR; what moved out is written as a figure above 0."""
    return -float(bridge[column]) if column == "moved_out" else float(bridge[column])
