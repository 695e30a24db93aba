"""What plays did to accounts, as a table for people: shares in points of a hundred."""

import pandas as pd

from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.backtest.uplift import Effect


def effects_for_people(found: list[Effect]) -> pd.DataFrame:
    """playbook, measure, enrolled, held_out (a mean and of how many), difference with its interval, verdict."""
    return pd.DataFrame(
        [
            {
                "playbook": effect.playbook,
                "measure": effect.measure.name,
                "enrolled": _mean(effect, effect.mean_enrolled, effect.enrolled),
                "held_out": _mean(effect, effect.mean_held_out, effect.held_out),
                "difference": _difference(effect),
                "verdict": effect.verdict,
            }
            for effect in found
        ]
    )


def _mean(effect: Effect, mean: float, count: int) -> str:
    if not count:
        return "of 0"
    return f"{100 * mean:.1f} % of {count:,}" if effect.measure.is_share else f"{mean:+.1f} of {count:,}"


def _difference(effect: Effect) -> str:
    found = effect.difference
    if isinstance(found, TooLittle):
        return found.reason
    factor, unit = (100, " points of 100") if effect.measure.is_share else (1, "")
    return f"{factor * found.value:+.1f} ({factor * found.low:+.1f} to {factor * found.high:+.1f}){unit}"
