"""Risks and opportunities of accounts: the named signals that a model reads from its scores (S4-64…68).

Here belongs whether a signal is there. What is done about it is up to the plays.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.health.scoring import Arithmetic, Floats, Scores
from cs_pipeline.health.specification import Signal, Test

Booleans = NDArray[np.bool]

OF_THE_SCORE = "score"
MASKED_SHARE = 0.5
"""A metric with less than this share of its points is hidden by a dimension that is at its cap (C-08)."""


def signals_of(arithmetic: Arithmetic, scores: Scores, signals: Sequence[Signal]) -> Booleans:
    """Which of `signals` the accounts of `scores` show (n, signals); an account that is not scored shows none."""
    is_scored = ~np.isnan(scores.score)
    shown = np.empty((len(scores), len(signals)), dtype=bool)
    for index, signal in enumerate(signals):
        tests = [_holds(arithmetic, scores, test) for test in signal.when]
        shown[:, index] = np.logical_and.reduce([is_scored, *tests])
    return shown


def _holds(arithmetic: Arithmetic, scores: Scores, test: Test) -> Booleans:
    if test.masked:
        return _is_masked(arithmetic, scores, test.of)
    values = _values(arithmetic, scores, test.of)
    holds = ~np.isnan(values)
    if test.below is not None:
        holds &= values < test.below
    if test.from_ is not None:
        holds &= values >= test.from_
    return holds


def _values(arithmetic: Arithmetic, scores: Scores, name: str) -> Floats:
    model = arithmetic.model
    if name == OF_THE_SCORE:
        return scores.score
    if name in model.dimension_names:
        return scores.dimension_scores[:, model.dimension_names.index(name)]
    return scores.metric_values[:, model.metric_names.index(name)]


def _is_masked(arithmetic: Arithmetic, scores: Scores, dimension: str) -> Booleans:
    model = arithmetic.model
    position = model.dimension_names.index(dimension)
    start = sum(len(earlier.metrics) for earlier in model.dimensions[:position])
    metrics = model.dimensions[position].metrics
    is_low = np.stack(
        [scores.points[:, start + index] < MASKED_SHARE * metric.points for index, metric in enumerate(metrics)]
    ).any(axis=0)
    return is_low & (scores.dimension_scores[:, position] >= 100.0)
