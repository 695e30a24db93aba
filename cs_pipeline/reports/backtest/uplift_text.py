"""What plays did to accounts, as a table for people: shares in points of a hundred."""

import pandas as pd

from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.backtest.uplift import Uplift


def uplift_table(found: list[Uplift]) -> pd.DataFrame:
    """playbook, measure, enrolled, held_out (a mean and of how many), difference with its interval, verdict."""
    return pd.DataFrame(
        [
            {
                "playbook": uplift.playbook,
                "measure": uplift.measure.name,
                "enrolled": _mean(uplift, uplift.mean_enrolled, uplift.enrolled),
                "held_out": _mean(uplift, uplift.mean_held_out, uplift.held_out),
                "difference": _difference(uplift),
                "verdict": uplift.verdict,
            }
            for uplift in found
        ]
    )


def _mean(uplift: Uplift, mean: float, count: int) -> str:
    if not count:
        return "of 0"
    return f"{100 * mean:.1f} % of {count:,}" if uplift.measure.is_share else f"{mean:+.1f} of {count:,}"


def _difference(uplift: Uplift) -> str:
    found = uplift.difference
    if isinstance(found, TooLittle):
        return found.reason
    factor, unit = (100, " points of 100") if uplift.measure.is_share else (1, "")
    return f"{factor * found.value:+.1f} ({factor * found.low:+.1f} to {factor * found.high:+.1f}){unit}"
