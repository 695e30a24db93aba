"""Form of a score model: dimensions of metrics that give points, and bands that name the score.

Here belongs the form of a model file and its version. `validation` checks it as a whole,
`scoring` turns points into a score; docs/scores.md tells a writer of models what the fields do.
"""

import hashlib
import json
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cs_pipeline.health.band_sets import bands_of_set
from cs_pipeline.health.metrics import Unit
from cs_pipeline.health.normalisation import Bound, Form
from cs_pipeline.health.steadiness import Escalation, Steadiness

ARITHMETIC = 2  # part of every version; raised when `scoring` gives other scores for the same file

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower-case words joined by _")]
Cap = Literal["clip", "halve", "rescale"]
Calendar = Literal["never", "falling", "always"]
Origin = Literal["source", "ours"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CarryForward(_Part):
    """What to do with a missing metric: take its latest value of the weeks before, then leave it out."""

    carry_forward: Annotated[int, Field(ge=1, le=52, description="weeks to look back")]


Missing = Literal["exclude_reweight", "zero", "neutral"] | CarryForward


class ScoredMetric(Form):
    """A metric, the form in which its values give points, and what to do without a value."""

    metric: str
    unit: Unit
    points: Annotated[float, Field(gt=0, le=100, description="most points that it can give")]
    missing: Missing = "exclude_reweight"
    calendar: Calendar = "never"
    origin: Origin = Field(default="source", description="ours: the sources name the metric but not its points")

    @property
    def carry_weeks(self) -> int:
        """Weeks that a value is carried forward; 0 for never."""
        return self.missing.carry_forward if isinstance(self.missing, CarryForward) else 0

    @property
    def column(self) -> str:
        """Column of its values in what is scored: the metric's own, or one that holds carried values too."""
        return f"{self.metric}_carried_{self.carry_weeks}" if self.carry_weeks else self.metric


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


class Test(_Part):
    """A range that a dimension (0 to 100), a metric of the model or the `score` is in; false when it is missing."""

    of: str
    below: Bound | None = None
    from_: Bound | None = Field(default=None, alias="from")
    masked: Literal[True] | None = Field(
        default=None, description="the dimension is at its cap although a metric in it gives under half of its points"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.masked and (self.below is not None or self.from_ is not None):
            raise ValueError("expected either masked or bounds, got both")
        if not self.masked and self.below is None and self.from_ is None:
            raise ValueError("expected below, from or masked")
        return self


class Signal(_Part):
    """A named risk or opportunity of an account: there when all its tests hold."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    when: Annotated[tuple[Test, ...], Field(min_length=1)]
    origin: Origin = "source"


class Variant(_Part):
    """Another reading of the same model, by its own name: other caps of dimensions, other forms of metrics."""

    model: Name
    title: Annotated[str, Field(min_length=1)]
    caps: dict[str, Cap] = {}
    forms: dict[str, Form] = {}


class ScoreModel(_Part):
    """A score model as its file states it; sound when it came from `library`."""

    model: Name
    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    requirements: tuple[str, ...] = ()
    learned_until: date | None = Field(
        default=None, description="day up to which outcomes have made it what it is: only later weeks can judge it"
    )
    coverage_floor: Annotated[float, Field(ge=0, le=1)] = 0.5
    dimensions: Annotated[tuple[Dimension, ...], Field(min_length=1)]
    bands: Annotated[tuple[Band, ...], Field(min_length=1, description="healthiest first")]
    at_risk_from: Annotated[int, Field(ge=1, le=3, description="lowest severity that counts as at risk (C-10)")] = 2
    steadiness: Steadiness | None = None
    escalation: Escalation | None = None
    roll_up: Literal["arr", "mean"] = Field(default="arr", description="how the scores of children make their parent's")
    risks: tuple[Signal, ...] = ()
    opportunities: tuple[Signal, ...] = ()
    variants: tuple[Variant, ...] = ()

    @field_validator("bands", mode="before")
    @classmethod
    def _bands_written_out(cls, value: object) -> object:
        return bands_of_set(cast("dict[str, object]", value)) if isinstance(value, dict) else value

    def variant(self, name: str) -> "ScoreModel":
        """The model that one of its variants states. Raises KeyError when it has none of this name."""
        stated = {variant.model: variant for variant in self.variants}[name]
        dimensions = tuple(
            dimension.model_copy(
                update={
                    "cap": stated.caps.get(dimension.dimension, dimension.cap),
                    "metrics": tuple(_in_form(metric, stated.forms.get(metric.metric)) for metric in dimension.metrics),
                }
            )
            for dimension in self.dimensions
        )
        return self.changed(model=name, title=stated.title, dimensions=dimensions, variants=())

    def changed(self, **fields: object) -> "ScoreModel":
        """The model with other values in some fields, and nothing remembered of the old ones."""
        return ScoreModel.model_validate(self.model_copy(update=fields).model_dump(by_alias=True))

    @cached_property
    def metrics(self) -> tuple[ScoredMetric, ...]:
        """All metrics, in the order of the file: the order of every array of points."""
        return tuple(metric for dimension in self.dimensions for metric in dimension.metrics)

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        """Names of the metrics, in the order of the file."""
        return tuple(metric.metric for metric in self.metrics)

    @cached_property
    def dimension_names(self) -> tuple[str, ...]:
        """Names of the dimensions, in the order of the file."""
        return tuple(dimension.dimension for dimension in self.dimensions)

    @property
    def remembers(self) -> bool:
        """True when the band of a week depends on the weeks before it."""
        return self.steadiness is not None or self.escalation is not None

    @cached_property
    def definition(self) -> dict[str, object]:
        """The file as JSON holds it, with defaults, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def version(self) -> str:
        """Hash of all that is done with metrics; how the marts work them out is not in it.

        Two files with the same version give the same rows from the same marts.
        """
        words = ("title", "description", "requirements", "learned_until", "variants")
        meaning = {key: value for key, value in self.definition.items() if key not in words}
        text = json.dumps({"arithmetic": ARITHMETIC} | meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _in_form(metric: ScoredMetric, form: Form | None) -> ScoredMetric:
    return metric if form is None else metric.model_copy(update=dict(form))
