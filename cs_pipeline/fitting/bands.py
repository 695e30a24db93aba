"""Cut the bands of a score where departures become more frequent, and say how frequent they are in each.

Bounds are whole scores. A band is kept only where it holds accounts enough and is told apart from its neighbour.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.backtest.design import FEWEST_ACCOUNTS
from cs_pipeline.backtest.falling_rates import NOTABLE, departure_rates
from cs_pipeline.backtest.measures import Floats

MULTIPLES = {3: 3.0, 2: 1.5, 1: 0.75}
"""How many times the average departure rate each severity starts at; healthy is what is below all (ours)."""
RIPE = 1.5
"""How many times the average rate of expansions the upper band starts at (ours)."""
NAMES = {0: "Green", 1: "Yellow", 2: "Orange", 3: "Red"}


def cut_bands(
    score: Floats, outcome: NDArray[np.bool_], accounts: NDArray[np.generic]
) -> list[dict[str, str | float | int]]:
    """Bands of a score model, healthiest first: band, from, severity. All are known: a score and an outcome each."""
    base = float(outcome.mean())
    whole, rates = _rates_by_whole_score(score, outcome, base)
    bounds = {severity: int((rates >= times * base).sum()) for severity, times in MULTIPLES.items()}
    kept: list[tuple[int, int]] = []  # (bound, severity): scores below the bound are of at least this severity
    for severity, bound in bounds.items():
        below = kept[-1][0] if kept else 0
        if bound > below and _stands_apart(whole, outcome, accounts, below, bound):
            kept.append((bound, severity))
    healthiest = min((severity for _, severity in kept), default=1) - 1
    rows = [
        *((severity, start) for (_, severity), start in zip(kept, [0, *(bound for bound, _ in kept)], strict=False)),
        (max(healthiest, 0), kept[-1][0] if kept else 0),
    ]
    return [{"band": NAMES[severity], "from": start, "severity": severity} for severity, start in reversed(rows)]


def cut_ripe(
    score: Floats, outcome: NDArray[np.bool_], accounts: NDArray[np.generic]
) -> list[dict[str, str | float | int]]:
    """Bands of a score for an outcome that people wish for, ripest first; `outcome` is that it did not come."""
    base = float(outcome.mean())
    whole, missed = _rates_by_whole_score(score, outcome, base)
    comes = 1 - missed
    bound = int((comes < RIPE * (1 - base)).sum())
    if not 0 < bound < 100 or not _stands_apart(whole, outcome, accounts, 0, bound):
        return [{"band": "Open", "from": 0, "severity": 0}]
    return [{"band": "Ripe", "from": bound, "severity": 0}, {"band": "Open", "from": 0, "severity": 1}]


def _rates_by_whole_score(score: Floats, outcome: NDArray[np.bool_], base: float) -> tuple[NDArray[np.int64], Floats]:
    """Each observation's whole score, and the rate of the outcome at each of 0 to 99, falling."""
    whole = np.minimum(np.floor(score).astype(int), 99)
    observations = np.bincount(whole, minlength=100).astype(float)
    departures = np.bincount(whole, outcome, minlength=100).astype(float)
    return whole, departure_rates(departures, observations, base, is_more_healthier=True)


def _stands_apart(
    whole: NDArray[np.int64], outcome: NDArray[np.bool_], accounts: NDArray[np.generic], start: int, bound: int
) -> bool:
    """True when scores from `start` up to `bound` are of accounts enough, and leave more often than higher ones."""
    inside, above = (whole >= start) & (whole < bound), whole >= bound
    if len(np.unique(accounts[inside])) < FEWEST_ACCOUNTS or len(np.unique(accounts[above])) < FEWEST_ACCOUNTS:
        return False
    table = pd.crosstab(inside[inside | above], outcome[inside | above]).to_numpy(float)
    if table.shape != (2, 2):
        return False
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float((np.square(table - expected) / expected).sum()) >= NOTABLE
