"""Tables of what plays, and variants of their steps, changed. No arithmetic beyond formatting."""

import pandas as pd

from cs_pipeline.backtest.measures import TooLittle
from cs_pipeline.backtest.trials import Trial
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


def trial_table(found: list[Trial]) -> pd.DataFrame:
    """playbook, step, variant, measure, and of how many with the variant and as it is, difference, verdict."""
    return pd.DataFrame(
        [
            {
                "playbook": trial.effect.playbook,
                "step": trial.step,
                "variant": trial.variant,
                "measure": trial.effect.measure.name,
                "with_it": _mean(trial.effect, trial.effect.mean_enrolled, trial.effect.enrolled),
                "as_it_is": _mean(trial.effect, trial.effect.mean_held_out, trial.effect.held_out),
                "difference": _difference(trial.effect).replace("enrolled", "drawn").replace("held-out", "other"),
                "verdict": trial.effect.verdict,
            }
            for trial in found
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
