"""Fit again on resampled accounts: how often each metric is chosen, and how far its points move.

Accounts are drawn, not observations, since those of one account say much the same (bootstrap by cluster). Of a large
book, observations of those who stay are thinned first: who leaves is what is scarce.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from cs_pipeline.fitting.scorecard import make_scorecard
from cs_pipeline.fitting.selection import Candidates

RESAMPLINGS = 100
MOST_OBSERVATIONS = 30_000
SEED = 7
LEAST_CHOSEN = 1 / 3
"""Share of the resamplings that have to choose a metric for the model to have it (ours): those that come by luck go."""


@dataclass(frozen=True)
class Stability:
    """What became of a metric in resamplings."""

    chosen: float
    """Share of the resamplings in which the model had it."""
    low: int
    high: int
    """Points between which it had most in nine of ten resamplings in which it was chosen; 0 without any."""


def resample(
    among: Candidates, most: int, resamplings: int = RESAMPLINGS, on_done: Callable[[], None] = lambda: None
) -> dict[str, Stability]:
    """Stability of each metric that any resampling chose. The same observations give the same answer."""
    random = np.random.default_rng(SEED)
    thinned = _thinned(among, random)
    accounts = int(thinned.accounts.max()) + 1 if len(thinned.accounts) else 0
    points: dict[str, list[int]] = {}
    for _ in range(resamplings):
        drawn = thinned.of_accounts(random.integers(0, accounts, accounts))
        if drawn.outcome.any() and not drawn.outcome.all():
            for each in make_scorecard(drawn, most).metrics:
                points.setdefault(each.metric, []).append(each.most)
        on_done()
    return {
        name: Stability(len(found) / resamplings, *(round(float(end)) for end in np.quantile(found, [0.05, 0.95])))
        for name, found in points.items()
    }


def stable(among: Candidates, found: dict[str, Stability], chosen: Collection[str]) -> Candidates:
    """The candidates without those of `chosen` that too few resamplings chose, and without what would replace them."""
    if all(name in found and found[name].chosen >= LEAST_CHOSEN for name in chosen):
        return among
    kept = {name for name, each in found.items() if each.chosen >= LEAST_CHOSEN}
    why = {
        name: f"chosen in {found[name].chosen:.0%} of the resamplings, and {LEAST_CHOSEN:.0%} are needed"
        for name in found
        if name not in kept
    }
    why |= dict.fromkeys((name for name in among.names if name not in found), "chosen in no resampling")
    return among.only(kept, why)


def _thinned(among: Candidates, random: np.random.Generator) -> Candidates:
    stays = ~among.outcome
    room = max(MOST_OBSERVATIONS - int(among.outcome.sum()), 0)
    keep = among.outcome | (random.random(len(stays)) < room / max(int(stays.sum()), 1))
    return replace(
        among,
        codes=among.codes[keep],
        outcome=among.outcome[keep],
        accounts=np.unique(among.accounts[keep], return_inverse=True)[1],
        blocks=among.blocks[keep],
    )
