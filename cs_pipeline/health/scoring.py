"""Metrics of accounts in, scores out, for any number of accounts at once.

Here belongs the arithmetic of a score, as docs/scores.md states it: caps of dimensions, missing metrics, coverage,
bands. The points of one metric are in `normalisation`. Arrays have one row an account and one column a metric, in the
order of the model; NaN is missing. Sums run metric by metric in that order, so that an account's score never depends,
not even in its last bit, on who is scored beside it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.health.normalisation import Floats, Normalisation
from cs_pipeline.health.specification import Dimension, ScoreModel
from cs_pipeline.health.steadiness import bands_of

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool]

NEUTRAL = 0.5
"""Share of its points that a missing metric is given where its model says `neutral` (ours)."""


@dataclass(frozen=True)
class Scores:
    """Scores of n accounts under one model with m metrics."""

    metric_values: Floats
    """(n, m) values of the metrics."""
    points: Floats
    """(n, m) points of the metrics before caps; NaN where the metric is missing."""
    contributions: Floats
    """(n, m) what each metric gives to the score: a row sums to the score, or is 0 when not scored."""
    points_lost: Floats
    """(n,) points that caps cut off."""
    coverage: Floats
    """(n,) share of the score's weight whose metrics are known, 0 to 1."""
    dimension_scores: Floats
    """(n, dimensions) each dimension by itself, 0 to 100; NaN where nothing of it counts."""
    score: Floats
    """(n,) 0 to 100; NaN when coverage is under the model's floor (not scored)."""
    band: Integers
    """(n,) position in the model's bands; NO_BAND when not scored."""

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True)
class Totals:
    """What the dimensions of a model add up to, whatever the coverage."""

    score: Floats
    """(n,) 0 to 100; 0 where no metric is known."""
    worth: Floats
    """(n, dimensions) what one point of a metric gives to the score."""
    dimension_scores: Floats
    """(n, dimensions) what was earned of what was within reach, 0 to 100; NaN where nothing was."""
    lost: Floats
    """(n,) points that caps cut off."""


class Arithmetic:
    """A score model as arrays and functions of arrays."""

    def __init__(self, model: ScoreModel) -> None:
        self.model = model
        self._columns: list[range] = []
        for dimension in model.dimensions:
            start = self._columns[-1].stop if self._columns else 0
            self._columns.append(range(start, start + len(dimension.metrics)))

    def score(self, frame: pd.DataFrame) -> Scores:
        """Scores of the accounts in `frame`, which has a numeric column for each `column` of the model's metrics.

        Raises KeyError when a column is absent: an absent source gives a column of nulls, not no column.
        """
        values = np.empty((len(frame), len(self.model.metrics)), order="F")
        for column, metric in enumerate(self.model.metrics):
            values[:, column] = frame[metric.column].to_numpy(dtype=np.float64, na_value=np.nan)
        return self.score_values(values)

    def score_values(self, values: Floats) -> Scores:
        """Scores from metric values (n, m)."""
        points = self.points(values)
        missing = np.isnan(points)
        counted = self._counted(points, missing)
        totals = self._totals(counted, missing)
        coverage = self._coverage(missing)
        is_scored = coverage >= self.model.coverage_floor
        contributions = np.empty(values.shape, order="F")
        for dimension, columns in enumerate(self._columns):
            worth = np.where(is_scored, totals.worth[:, dimension], 0.0)
            for column in columns:
                np.multiply(counted[:, column], worth, out=contributions[:, column])
        score = np.where(is_scored, totals.score, np.nan)
        by_dimension = totals.dimension_scores
        return Scores(values, points, contributions, totals.lost, coverage, by_dimension, score, self.bands(score))

    def points(self, values: Floats) -> Floats:
        """Points (n, m) that the values give, before caps; NaN for a missing value or one no row is for."""
        points = np.empty(values.shape, order="F")
        for column, metric in enumerate(self.model.metrics):
            given = values[:, column]
            found = self._forms[column].points(given, metric.points)
            points[:, column] = np.where(np.isnan(given), np.nan, found)
        return points

    def counted(self, points: Floats) -> Floats:
        """Points (n, m) as they count: a missing metric has what its model gives it, 0 unless it is neutral."""
        return self._counted(points, np.isnan(points))

    def _counted(self, points: Floats, missing: Booleans) -> Floats:
        counted = np.array(points, order="F")
        for column, metric in enumerate(self.model.metrics):
            counted[missing[:, column], column] = NEUTRAL * metric.points if metric.missing == "neutral" else 0.0
        return counted

    def totals(self, points: Floats) -> Totals:
        """Scores from points (n, m), before anything is said of coverage."""
        missing = np.isnan(points)
        return self._totals(self._counted(points, missing), missing)

    def _totals(self, counted: Floats, missing: Booleans) -> Totals:
        accounts = len(counted)
        given, possible, lost = np.zeros(accounts), np.zeros(accounts), np.zeros(accounts)
        worth = np.empty((accounts, len(self._columns)), order="F")
        by_dimension = np.empty((accounts, len(self._columns)), order="F")
        for position, (dimension, columns) in enumerate(zip(self.model.dimensions, self._columns, strict=True)):
            factor, limit = _cap(dimension)
            earned, within_reach = np.zeros(accounts), np.zeros(accounts)
            for column in columns:
                metric = self.model.metrics[column]
                earned += counted[:, column]
                is_in_reach = True if metric.missing in ("zero", "neutral") else ~missing[:, column]
                within_reach += metric.points * is_in_reach
            reach = np.minimum(within_reach * factor, limit)
            kept = np.minimum(earned * factor, reach)  # a metric may count beyond its target, never beyond its reach
            lost += earned * factor - kept
            given += kept
            possible += reach
            worth[:, position] = np.divide(kept, earned, out=np.zeros(accounts), where=earned > 0)
            by_dimension[:, position] = np.divide(100 * kept, reach, out=np.full(accounts, np.nan), where=reach > 0)
        score = np.divide(100 * given, possible, out=np.zeros(accounts), where=possible > 0)
        worth *= np.divide(100.0, possible, out=np.zeros(accounts), where=possible > 0)[:, np.newaxis]
        return Totals(np.clip(score, 0.0, 100.0), worth, by_dimension, lost)

    def coverage(self, points: Floats) -> Floats:
        """Share (n,) of the score's weight whose metrics are known."""
        return self._coverage(np.isnan(points))

    def _coverage(self, missing: Booleans) -> Floats:
        known, total = np.zeros(len(missing)), 0.0
        for column, weight in enumerate(self.weights):
            known += weight * ~missing[:, column]
            total += weight
        return known / total

    def bands(self, score: Floats) -> Integers:
        """Positions (n,) in the model's bands of scores (n,), whatever happened before; NO_BAND without a score."""
        return bands_of(self.bounds, score)

    @cached_property
    def bounds(self) -> Floats:
        """Lower bounds of the bands, healthiest first."""
        return np.array([band.from_ for band in self.model.bands])

    @cached_property
    def weights(self) -> list[float]:
        """What each metric can give at most, its dimension's cap shared out among the metrics."""
        return [
            _cap(dimension)[1] * metric.points / dimension.points_of_metrics
            for dimension in self.model.dimensions
            for metric in dimension.metrics
        ]

    @cached_property
    def _forms(self) -> list[Normalisation]:
        return [metric.normalisation for metric in self.model.metrics]


def _cap(dimension: Dimension) -> tuple[float, float]:
    """Factor on the points of a dimension's metrics, and the most they can then give (C-03)."""
    if dimension.cap == "rescale":
        return 1.0, dimension.points_of_metrics
    if dimension.cap == "halve":
        return dimension.points / dimension.points_of_metrics, dimension.points
    return 1.0, dimension.points
