"""Hold other weights to the accounts that are scored: none of them may lose its score.

An account has a score when metrics that make up enough of the weight are known of it (`coverage_floor`). Weights that
move to what is known of few take the others below that floor. What weights are good is no question here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cs_pipeline.health.reweighting import weights_of
from cs_pipeline.health.scoring import Arithmetic, Booleans, Floats
from cs_pipeline.health.specification import ScoreModel

SLACK = 1e-9
"""Points that are the rounding of floats."""


@dataclass(frozen=True)
class KnownMetrics:
    """Which metrics are known together of accounts that have a score."""

    patterns: Booleans
    """(p, m) each distinct set of known metrics that other weights could take below the floor."""
    floor: float
    """Points of 100 that a score needs."""

    def spare(self, weights: Floats) -> Floats:
        """Points (p,) by which `weights` (m,), which add up to 100, leave each set above the floor; negative below."""
        return self.patterns @ weights - self.floor

    def keeps(self, weights: Floats) -> bool:
        """True when nobody loses a score."""
        return bool((self.spare(weights) >= -SLACK).all())


def known_metrics(model: ScoreModel, frames: Iterable[pd.DataFrame], reach: float) -> KnownMetrics:
    """What is known of the accounts in `frames` that have a score; weights move by at most `reach` of what they are."""
    arithmetic = Arithmetic(model)
    found = [np.empty((0, len(model.metrics)), dtype=bool)]
    for frame in frames:
        scores = arithmetic.score(frame)
        found.append(np.unique(~np.isnan(scores.points[~np.isnan(scores.score)]), axis=0))
    patterns = np.unique(np.concatenate(found), axis=0)
    weights, floor = weights_of(model), 100 * model.coverage_floor
    known, missing = (1 - reach) * (patterns @ weights), (1 + reach) * (~patterns @ weights)
    return KnownMetrics(patterns[known / (known + missing) * 100 < floor + SLACK], floor)


def scored(model: ScoreModel, frame: pd.DataFrame) -> Booleans:
    """Which accounts (n,) of `frame` have a score."""
    return ~np.isnan(Arithmetic(model).score(frame).score)
