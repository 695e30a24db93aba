"""What a score model is: dimensions of metrics that give points, and bands that name the score.

Here belongs the form of a model file and its version. Whether it is sound as a whole is in `soundness`, how
points become a score in `scoring`; docs/scores.md tells a writer of models what the fields do.
"""

import hashlib
import json
from functools import cached_property
from math import inf, nextafter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cs_pipeline.health.metrics import Unit

ARITHMETIC = 1  # part of every version; raised when `scoring` gives other scores for the same file

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower-case words joined by _")]
Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Bound = Annotated[float, Field(allow_inf_nan=False)]

Cap = Literal["clip", "halve", "rescale"]
Missing = Literal["exclude_reweight", "zero"]
Calendar = Literal["never", "falling", "always"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PointsRow(_Part):
    """One row of a points table: the values it is for, and their points.

    A row has either `equals`, or a lower bound (`from` inclusive, `above` exclusive), an upper bound (`below`
    exclusive, `up_to` inclusive) or both.
    """

    equals: Bound | None = None
    from_: Bound | None = Field(default=None, alias="from")
    above: Bound | None = None
    below: Bound | None = None
    up_to: Bound | None = None
    points: Points

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        lower = [bound for bound in (self.from_, self.above) if bound is not None]
        upper = [bound for bound in (self.below, self.up_to) if bound is not None]
        if self.equals is not None and (lower or upper):
            raise ValueError("expected either equals or bounds, got both")
        if len(lower) > 1 or len(upper) > 1:
            raise ValueError("expected at most one of from and above, and at most one of below and up_to")
        if self.equals is None and not lower and not upper:
            raise ValueError("expected equals, from, above, below or up_to")
        if self.start >= self.end:
            raise ValueError("holds no value: its lower bound is not under its upper bound")
        return self

    @property
    def start(self) -> float:
        """Smallest value of the row (-inf without a lower bound)."""
        if self.equals is not None:
            return self.equals
        if self.above is not None:
            return nextafter(self.above, inf)
        return -inf if self.from_ is None else self.from_

    @property
    def end(self) -> float:
        """Smallest value past the row (inf without an upper bound): a row is a half-open range of floats."""
        if self.equals is not None:
            return nextafter(self.equals, inf)
        if self.up_to is not None:
            return nextafter(self.up_to, inf)
        return inf if self.below is None else self.below


class ScoredMetric(_Part):
    """A metric and the points that its values give."""

    metric: str
    unit: Unit
    points: Annotated[float, Field(gt=0, le=100, description="most points that it can give")]
    missing: Missing = "exclude_reweight"
    calendar: Calendar = "never"
    table: Annotated[tuple[PointsRow, ...], Field(min_length=1)]


class Dimension(_Part):
    """A group of metrics with a share of the 100 points."""

    dimension: Name
    points: Annotated[float, Field(gt=0, le=100)]
    cap: Cap | None = Field(default=None, description="what to do with metrics that add up to more points")
    metrics: Annotated[tuple[ScoredMetric, ...], Field(min_length=1)]

    @property
    def points_of_metrics(self) -> float:
        """Sum of what its metrics can give, before the cap."""
        return sum(metric.points for metric in self.metrics)


class Band(_Part):
    """A name for scores from `from` up to the next band."""

    band: Annotated[str, Field(min_length=1, max_length=40)]
    from_: Annotated[float, Field(ge=0, lt=100, alias="from")]
    severity: Annotated[int, Field(ge=0, le=3, description="0 healthy, 1 watch, 2 at risk, 3 critical")]


class ScoreModel(_Part):
    """A score model as its file states it; sound when it came from `library`."""

    model: Name
    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    requirements: tuple[str, ...] = ()
    coverage_floor: Annotated[float, Field(ge=0, le=1)] = 0.5
    dimensions: Annotated[tuple[Dimension, ...], Field(min_length=1)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1, description="healthiest first")]

    @cached_property
    def metrics(self) -> tuple[ScoredMetric, ...]:
        """All metrics, in the order of the file: the order of every array of points."""
        return tuple(metric for dimension in self.dimensions for metric in dimension.metrics)

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of the file."""
        return tuple(metric.metric for metric in self.metrics)

    @cached_property
    def definition(self) -> dict[str, object]:
        """The file as JSON holds it, without what was left to its default."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def version(self) -> str:
        """Hash of all that a score depends on: two files with the same version give the same scores."""
        meaning = {key: self.definition[key] for key in ("model", "coverage_floor", "dimensions", "bands")}
        text = json.dumps({"arithmetic": ARITHMETIC} | meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
