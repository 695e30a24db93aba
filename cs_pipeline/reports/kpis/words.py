"""Write KPIs for people: each figure in its unit, with its interval, and whether its target is met. Pure."""

from typing import Any

import pandas as pd

from cs_pipeline.plays.messages.environment import is_missing
from cs_pipeline.reports.dated.words import Money, number

UNKNOWN = "–"
_BOUNDS = {"above": ">", "at_least": "≥", "below": "<", "at_most": "≤"}


def figure(value: Any, unit: str, money: Money) -> str:
    """A value in its unit: '91.2 %', '+3.4 %', '$12,300', '2.35', '60 h'; a dash where there is none."""
    if is_missing(value):
        return UNKNOWN
    match unit:
        case "share":
            return f"{number(100 * value)} %"
        case "change":
            return f"{_signed(100 * value)} %"
        case "money":
            return money(value)
        case "hours":
            return f"{number(value)} h" if value < 72 else f"{number(value / 24)} days"
        case "ratio":
            return f"{value:,.2f}".replace("-", "−")
        case "points":
            return _signed(value)
        case _:
            return number(value)


def interval(low: Any, high: Any, unit: str, money: Money) -> str:
    """'88 % to 94 %'; nothing where there is none."""
    if is_missing(low) or is_missing(high):
        return ""
    return f"{figure(low, unit, money)} to {figure(high, unit, money)}"


def target(bound: Any, kind: Any, unit: str, money: Money) -> str:
    """'> 110 %'; nothing where there is none."""
    return "" if is_missing(bound) else f"{_BOUNDS[str(kind)]} {figure(bound, unit, money)}"


def verdict(meets_target: Any) -> str:
    """'met', 'missed', or nothing."""
    return "" if is_missing(meets_target) else "met" if meets_target else "missed"


def values_table(found: pd.DataFrame, money: Money) -> pd.DataFrame:
    """The rows of `kpi_values` as a table of short texts."""
    rows = found.to_dict("records")
    return pd.DataFrame(
        {
            "kpi": [row["kpi"] for row in rows],
            "value": [figure(row["value"], row["unit"], money) for row in rows],
            "month_before": [figure(row["value_before"], row["unit"], money) for row in rows],
            "95_%_interval": [interval(row["low"], row["high"], row["unit"], money) for row in rows],
            "n": [number(row["n"]) for row in rows],
            "months": [number(row["window_months"]) for row in rows],
            "target": [target(row["target"], row["target_kind"], row["unit"], money) for row in rows],
            "": [verdict(row["meets_target"]) for row in rows],
        }
    )


def month_table(found: pd.DataFrame, unit: str, money: Money) -> pd.DataFrame:
    """The rows of `kpi_by_month`, or with `segment` in place of the month those of `kpi_by_part`."""
    rows = found.to_dict("records")
    of = "month" if "month" in found else "segment"
    table = {
        of: [f"{row[of]:%Y-%m}" if of == "month" else row[of] for row in rows],
        "value": [figure(row["value"], unit, money) for row in rows],
        "95_%_interval": [interval(row["low"], row["high"], unit, money) for row in rows],
        "numerator": [number(row["numerator"]) for row in rows],
        "denominator": [number(row["denominator"]) for row in rows],
        "n": [number(row["n"]) for row in rows],
    }
    if of == "month":
        table["target"] = [verdict(row["meets_target"]) for row in rows]
        table[""] = ["" if row["is_complete"] else "not complete" for row in rows]
    return pd.DataFrame(table)


def _signed(value: float) -> str:
    words = number(value)
    return words if words.startswith("−") or words == "0" else f"+{words}"
