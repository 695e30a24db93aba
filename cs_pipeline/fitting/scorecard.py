"""Give whole points to the steps of chosen metrics, so that a score is a straight line in the log-odds of staying.

The range of a metric's evidence, times its weight in a logistic regression, is its share of the 100 points (the
scaling of credit scorecards: so many points fewer double the odds of leaving). Pure: candidates in, points out. Bands
are cut in `bands`.
"""

from dataclasses import dataclass

import numpy as np

from cs_pipeline.backtest.measures import Floats
from cs_pipeline.fitting.selection import Candidates, Choice, choose, fitted
from cs_pipeline.fitting.steps import UNKNOWN, Bins, steps
from cs_pipeline.health.metrics import METRICS
from cs_pipeline.health.specification import ScoreModel

FEWEST_POINTS = 3
"""A metric that weighs less is not worth a reader's time."""
DIMENSIONS = {
    "usage": ("events", "users", "features", "accounts"),
    "onboarding": ("onboarding_progress",),
    "engagement": ("email_events", "event_attendance", "touchpoints", "feedback"),
    "satisfaction": ("survey_responses",),
    "value": ("value_log", "orders"),
    "business": ("subscriptions", "invoices"),
    "support": ("tickets",),
}
"""Dimensions of a fitted model, and the tables of the source contract that the metrics of each come from."""


@dataclass(frozen=True)
class PointsOfMetric:
    """A metric of a scorecard: points (s,) of its steps, of which step i reaches from edges[i - 1] to edges[i]."""

    metric: str
    steps: Bins
    points: tuple[int, ...]

    @property
    def most(self) -> int:
        """Points that it can give at most."""
        return max(self.points)


@dataclass(frozen=True)
class Scorecard:
    """Metrics with their points, which add up to 100, or no metric at all."""

    metrics: tuple[PointsOfMetric, ...]
    choice: Choice
    log_odds: float
    """Difference in the log-odds of leaving between 0 and 100 points."""

    @property
    def halves_after(self) -> float:
        """Points more that halve the odds of leaving."""
        return 100 * np.log(2) / self.log_odds


def make_scorecard(among: Candidates, most: int) -> Scorecard:
    """A scorecard of at most `most` metrics."""
    choice = choose(among, most)
    names = list(choice.names)
    while names:
        cut = {name: _steps_of(among, name) for name in names}
        names = [name for name in names if np.ptp(cut[name][1]) > 0]
        if not names:
            break
        told = np.column_stack([_told(among, name, *cut[name]) for name in names])
        weights, _ = fitted(told, among.outcome)
        ranges = np.array([weight * np.ptp(cut[name][1]) for name, weight in zip(names, weights[1:], strict=True)])
        if not ranges.any():
            break
        shares = 100 * ranges / ranges.sum()
        if shares.min() >= FEWEST_POINTS:
            points = zip(names, _whole(shares), strict=True)
            metrics = tuple(_points_of(name, *cut[name], most_points) for name, most_points in points)
            return Scorecard(metrics, choice, float(ranges.sum()))
        del names[int(shares.argmin())]
    return Scorecard((), choice, 0.0)


def as_score_model(card: Scorecard, **fields: object) -> ScoreModel:
    """The scorecard as a score model; `fields` are its name, words and bands."""
    dimensions = []
    for dimension, sources in DIMENSIONS.items():
        metrics = [each for each in card.metrics if METRICS[each.metric].source in sources]
        if metrics:
            points = sum(each.most for each in metrics)
            dimensions.append(
                {"dimension": dimension, "points": points, "metrics": [_metric_of_model(each) for each in metrics]}
            )
    return ScoreModel.model_validate({**fields, "dimensions": dimensions})


def _metric_of_model(each: PointsOfMetric) -> dict[str, object]:
    metric = METRICS[each.metric]
    lower = [None, *each.steps.edges.tolist()]
    upper = [*each.steps.edges.tolist(), None]
    rows = [
        {key: value for key, value in (("from", low), ("below", high)) if value is not None} | {"points": points}
        for low, high, points in zip(lower, upper, each.points, strict=True)
    ]
    best_first = rows[::-1] if metric.healthier == "more" else rows
    return {
        "metric": each.metric, "unit": metric.unit, "points": each.most, "origin": "ours", "table": best_first,
    }  # fmt: skip


def _steps_of(among: Candidates, name: str) -> tuple[Bins, Floats]:
    place = among.names.index(name)
    is_more = METRICS[name].healthier == "more"
    return steps(among.bins[place], among.codes[:, place], among.outcome, is_more_healthier=is_more)


def _told(among: Candidates, name: str, steps_: Bins, evidence: Floats) -> Floats:
    """Evidence (n,) of the step of each observation; 0 where the metric is missing."""
    place = among.names.index(name)
    step_of_bin = np.searchsorted(steps_.edges, np.concatenate([[-np.inf], among.bins[place].edges]), side="right")
    codes = among.codes[:, place]
    return np.where(codes == UNKNOWN, 0.0, evidence[step_of_bin[codes]])


def _points_of(name: str, steps_: Bins, evidence: Floats, most: int) -> PointsOfMetric:
    """Whole points for each step; steps that come to the same points become one."""
    points = np.rint(most * (evidence - evidence.min()) / np.ptp(evidence)).astype(int)
    keep = np.flatnonzero(np.diff(points) != 0)
    return PointsOfMetric(name, steps_.joined(keep), tuple(int(each) for each in points[np.append(keep, -1)]))


def _whole(shares: Floats) -> list[int]:
    """Whole numbers nearest to the shares that add up to 100, by the largest remainders."""
    whole = np.floor(shares).astype(int)
    most_cut = np.argsort(whole - shares, kind="stable")[: 100 - whole.sum()]
    whole[most_cut] += 1
    return whole.tolist()
