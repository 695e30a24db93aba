"""A score model with other weights: the same metrics, forms and bands, and other points for them.

The weight of a metric is its share of the 100 points: its part of its dimension's. What weights are good is no
question here.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import yaml

from cs_pipeline.health.normalisation import Floats
from cs_pipeline.health.specification import Dimension, ScoredMetric, ScoreModel

DIGITS = 9  # what is finer is the rounding of floats
HEADING = ("metric", "unit", "points")
"""Fields of a metric that people look for first."""


def weights_of(model: ScoreModel) -> Floats:
    """Weights of the metrics, in the order of the model; they add up to 100."""
    return np.array(
        [
            dimension.points * metric.points / dimension.points_of_metrics
            for dimension in model.dimensions
            for metric in dimension.metrics
        ]
    )


def with_weights(model: ScoreModel, weights: Sequence[float] | Floats) -> ScoreModel:
    """The model with other weights of its metrics (in its order, adding up to 100).

    A dimension has what its metrics have together; where a cap lets its metrics add up to more than the dimension, they
    do so in the same ratio as before.
    """
    left = iter(weights)
    dimensions = [
        _with_weights(dimension, [float(next(left)) for _ in dimension.metrics]) for dimension in model.dimensions
    ]
    return model.changed(dimensions=tuple(dimensions))


def as_yaml(model: ScoreModel) -> str:
    """The model as a file states it, without what is not set."""
    document = _plain(model.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def _with_weights(dimension: Dimension, weights: list[float]) -> Dimension:
    ratio = dimension.points_of_metrics / dimension.points
    return dimension.model_copy(
        update={
            "points": sum(weights),
            "metrics": tuple(
                _with_points(metric, weight if ratio == 1 else round(weight * ratio, DIGITS))
                for metric, weight in zip(dimension.metrics, weights, strict=True)
            ),
        }
    )


def _with_points(metric: ScoredMetric, points: float) -> ScoredMetric:
    if points == metric.points:
        return metric
    table = metric.table and tuple(
        row.model_copy(update={"points": _share(row.points / metric.points, points)}) for row in metric.table
    )
    return metric.model_copy(update={"points": points, "table": table, "origin": "ours"})


def _share(share: float, points: float) -> float:
    """The points of a row that gives this share; all of them exactly where it gives all."""
    return points if share == 1 else min(round(share * points, DIGITS), points)


def _plain(value: object) -> object:
    """Whole numbers without a decimal point, and the name of a metric before its form, as people write them."""
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        first = [name for name in HEADING if name in fields] if HEADING[0] in fields else []
        return {name: _plain(fields[name]) for name in dict.fromkeys([*first, *fields])}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[object]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value
