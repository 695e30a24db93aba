"""A score model with other weights: the same metrics, forms and bands, and other points for them.

The weight of a metric is the share of the score that it can give at most, in points of 100. What weights are good is
no question here.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import yaml
from pydantic import BaseModel

from cs_pipeline.health.normalisation import Floats
from cs_pipeline.health.scoring import Arithmetic
from cs_pipeline.health.specification import Dimension, ScoredMetric, ScoreModel

DIGITS = 9  # what is finer is the rounding of floats
MOST = 100.0
"""Points that a metric has at most."""
HEADING = ("metric", "unit", "points")
"""Fields of a metric that people look for first."""


def weights_of(model: ScoreModel) -> Floats:
    """Weights of the metrics, in the order of the model; they add up to 100."""
    weights = np.array(Arithmetic(model).weights)
    return weights * (100 / sum(weights))


def with_weights(model: ScoreModel, weights: Sequence[float] | Floats) -> ScoreModel:
    """The model with other weights of its metrics (in its order, adding up to 100).

    A dimension has what its metrics have together. Where a cap cuts off what its metrics add up to beyond it, they do
    so in the same ratio as before, or as nearly as MOST points a metric allow; a dimension that is rescaled needs no
    more than its metrics. Variants are left out: the forms that they state are for the points of before.
    """
    return weighed(model, weights).changed()


def weighed(model: ScoreModel, weights: Sequence[float] | Floats) -> ScoreModel:
    """As `with_weights`, for arithmetic only: weights may be any, for nothing is validated."""
    left = iter(weights)
    dimensions = tuple(
        _with_weights(dimension, [float(next(left)) for _ in dimension.metrics]) for dimension in model.dimensions
    )
    return ScoreModel.model_construct(**_fields(model, dimensions=dimensions, variants=()))


def as_yaml(model: ScoreModel) -> str:
    """The model as a file states it, without what is not set."""
    document = _plain(model.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def _with_weights(dimension: Dimension, weights: list[float]) -> Dimension:
    is_cut = dimension.cap != "rescale"
    ratio = min(dimension.points_of_metrics / dimension.points, MOST / max(weights)) if is_cut else 1.0
    points = [weight if ratio == 1 else round(weight * ratio, DIGITS) for weight in weights]
    metrics = tuple(_with_points(metric, most) for metric, most in zip(dimension.metrics, points, strict=True))
    return dimension.model_copy(update={"points": sum(weights), "metrics": metrics})


def _with_points(metric: ScoredMetric, points: float) -> ScoredMetric:
    if points == metric.points:
        return metric
    table = metric.table and tuple(
        row.model_copy(update={"points": _share(row.points / metric.points, points)}) for row in metric.table
    )
    return ScoredMetric.model_construct(**_fields(metric, points=points, table=table, origin="ours"))


def _fields(part: BaseModel, **others: object) -> dict[str, Any]:
    """What a part states, with others of its fields, and nothing that it has worked out from them."""
    return {name: getattr(part, name) for name in type(part).model_fields} | others


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
