"""Attribute a change of score to drivers that sum to the difference, each with its cause.

The earlier metrics are replaced by the later ones, one at a time, and the effect of each replacement on the
score is that metric's driver: first the model's version, then data that appeared or went missing, then what
the calendar did, last behaviour. Nothing is left over: each step starts where the step before it ended.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.health.scoring import Arithmetic, Floats, Integers

Cause = Literal["behaviour", "missing_data", "calendar", "model_version", "override", "first_score", "steadiness"]
CAUSES: tuple[Cause, ...] = get_args(Cause)
BEHAVIOUR, MISSING_DATA, CALENDAR, MODEL_VERSION, OVERRIDE, FIRST_SCORE, STEADINESS = range(len(CAUSES))
UNCHANGED = -1

OVERRIDE_DRIVER = "override"
"""Name of the driver that is no metric: the difference between a person's score and the model's."""

NOISE = 1e-12  # a driver under this is rounding, not an effect


@dataclass(frozen=True)
class EarlierScores:
    """Scores of n accounts in an earlier week, as they were stored, under any version of a model."""

    metrics: tuple[str, ...]
    metric_values: Floats
    contributions: Floats


@dataclass(frozen=True)
class Drivers:
    """What moved the scores of n accounts; d possible drivers each."""

    metrics: tuple[str, ...]
    """(d) the metric of each column; a metric has two columns when the model's version changed too."""
    deltas: Floats
    """(n, d) effect on the score; a row sums to the difference of the scores."""
    causes: Integers
    """(n, d) positions in CAUSES; UNCHANGED where the delta is 0."""

    def of_models_only(self, is_scored: NDArray[np.bool]) -> "Drivers":
        """The same without drivers for the accounts that the model did not score before and after."""
        return Drivers(
            self.metrics,
            np.where(is_scored[:, np.newaxis], self.deltas, 0.0),
            np.where(is_scored[:, np.newaxis], self.causes, UNCHANGED),
        )

    def with_override(self, differences: Floats) -> "Drivers":
        """The same with a driver for what people's numbers did: what is left of the differences (n,) of the scores.

        NaN for accounts for which nobody set anything.
        """
        deltas = np.nan_to_num(differences - self.deltas.sum(axis=1))
        settled = _settled((OVERRIDE_DRIVER,), deltas[:, np.newaxis], np.full((len(deltas), 1), OVERRIDE))
        return Drivers(
            (*self.metrics, *settled.metrics),
            np.hstack([self.deltas, settled.deltas]),
            np.hstack([self.causes, settled.causes]),
        )

    def main_cause(self) -> Integers:
        """Per account the cause that moved the score furthest the way it went; UNCHANGED without drivers.

        When drivers cancel out to no difference at all, the cause whose drivers add up to most. A tie goes to
        behaviour, then missing data, then the calendar.
        """
        shares = np.stack(
            [np.where(self.causes == cause, self.deltas, 0.0).sum(axis=1) for cause in range(len(CAUSES))],
            axis=1,
        )
        direction = np.sign(shares.sum(axis=1))[:, np.newaxis]
        strength = np.where(direction == 0, np.abs(shares), direction * shares)
        return np.where((self.causes == UNCHANGED).all(axis=1), UNCHANGED, strength.argmax(axis=1))

    def largest_first(self) -> tuple[Integers, Integers]:
        """All drivers one after another: flat positions into (n, d), and how many each account has."""
        order = np.argsort(-np.abs(self.deltas), axis=1, kind="stable")
        counts = np.count_nonzero(self.deltas, axis=1)
        rows, ranks = np.indices(self.deltas.shape)
        is_driver = ranks < counts[:, np.newaxis]
        return (rows * self.deltas.shape[1] + order)[is_driver], counts


def attribute(arithmetic: Arithmetic, earlier: EarlierScores, later: Floats, same_version: bool) -> Drivers:
    """Drivers of the way from `earlier` to the scores that the metric values `later` (n, m) have.

    With `same_version` the earlier scores are of the model itself; otherwise of another version of it, whose
    part is told apart: the new version on the earlier values, against the scores as they were stored.
    """
    if same_version:
        return _drivers_of_metrics(arithmetic, earlier.metric_values, later)
    metrics = arithmetic.model.metric_names
    before = _in_order_of(metrics, earlier.metrics, earlier.metric_values, later)
    points = arithmetic.points(before)
    rescored = arithmetic.counted(points) * _by_metric(arithmetic, arithmetic.totals(points).worth)
    every_metric = (*metrics, *(name for name in earlier.metrics if name not in metrics))
    none = np.zeros((len(later), len(every_metric)))
    was = _in_order_of(every_metric, earlier.metrics, earlier.contributions, none)
    now = _in_order_of(every_metric, metrics, rescored, none)
    of_version = _settled(every_metric, now - was, np.full(now.shape, MODEL_VERSION))
    of_metrics = _drivers_of_metrics(arithmetic, before, later)
    return Drivers(
        (*of_version.metrics, *of_metrics.metrics),
        np.hstack([of_version.deltas, of_metrics.deltas]),
        np.hstack([of_version.causes, of_metrics.causes]),
    )


def _drivers_of_metrics(arithmetic: Arithmetic, before: Floats, after: Floats) -> Drivers:
    points, later = arithmetic.points(before), arithmetic.points(after)
    was_known, is_known = ~np.isnan(points), ~np.isnan(later)
    causes = _causes(arithmetic, before, after, was_known, is_known)
    deltas = np.zeros(points.shape, order="F")
    score = arithmetic.totals(points).score
    # What appears comes before what goes missing, so that on the way an account is never without any metric.
    stages = (~was_known & is_known, was_known & ~is_known, causes == CALENDAR, causes == BEHAVIOUR)
    for stage in stages:
        for column in range(points.shape[1]):
            rows = np.flatnonzero(stage[:, column] & (points[:, column] != later[:, column]))
            if rows.size:
                points[rows, column] = later[rows, column]
                moved = arithmetic.totals(points[rows]).score
                deltas[rows, column] = moved - score[rows]
                score[rows] = moved
    return _settled(arithmetic.model.metric_names, deltas, causes)


def _causes(
    arithmetic: Arithmetic,
    before: Floats,
    after: Floats,
    was_known: NDArray[np.bool],
    is_known: NDArray[np.bool],
) -> Integers:
    causes = np.full(before.shape, BEHAVIOUR)
    for column, metric in enumerate(arithmetic.model.metrics):
        if metric.calendar == "always":
            causes[:, column] = CALENDAR
        elif metric.calendar == "falling":
            causes[after[:, column] < before[:, column], column] = CALENDAR
    causes[was_known != is_known] = MISSING_DATA
    return causes


def _settled(metrics: tuple[str, ...], deltas: Floats, causes: Integers) -> Drivers:
    deltas = np.where(np.abs(deltas) < NOISE, 0.0, deltas)
    return Drivers(metrics, deltas, np.where(deltas == 0, UNCHANGED, causes))


def _in_order_of(wanted: tuple[str, ...], names: tuple[str, ...], columns: Floats, absent: Floats) -> Floats:
    """`columns`, which are called `names`, in the order of `wanted`; those not among them from `absent`."""
    arranged = [
        columns[:, names.index(name)] if name in names else absent[:, place] for place, name in enumerate(wanted)
    ]
    return np.stack(arranged, axis=1)


def _by_metric(arithmetic: Arithmetic, by_dimension: Floats) -> Floats:
    """Columns of dimensions repeated for each metric of theirs."""
    sizes = [len(dimension.metrics) for dimension in arithmetic.model.dimensions]
    return np.repeat(by_dimension, sizes, axis=1)
