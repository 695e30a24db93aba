"""Turn the value of a metric into points: the four forms that a score model may use, and their arithmetic.

Here belongs what one metric says by itself. How points of several metrics become a score is in `scoring`; whether a
form suits its metric is checked in `validation`.
"""

from collections.abc import Iterator
from functools import cached_property
from math import inf, nextafter
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float64]

Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Bound = Annotated[float, Field(allow_inf_nan=False)]


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


class PointsTable(_Part):
    """Points by ranges of values."""

    rows: Annotated[tuple[PointsRow, ...], Field(min_length=1)]

    def points(self, values: Floats, most: float) -> Floats:  # noqa: ARG002 (the rows say the points)
        """Points of `values`; NaN for a value that no row is for."""
        starts, rewards = self._pieces
        piece = np.zeros(values.shape, dtype=np.intp)
        for start in starts[1:]:  # a handful: comparing is faster than a search for each value
            piece += values >= start
        return rewards[piece]

    @cached_property
    def _pieces(self) -> tuple[Floats, Floats]:
        """Starts of adjoining half-open ranges from -inf on, and the points of each; NaN where no row is."""

        def pieces() -> Iterator[tuple[float, float]]:
            reached = -np.inf
            for row in sorted(self.rows, key=lambda row: row.start):
                if row.start > reached:
                    yield reached, np.nan
                yield row.start, row.points
                reached = row.end
            if reached < np.inf:
                yield reached, np.nan

        starts, rewards = zip(*pieces(), strict=True)
        return np.array(starts), np.array(rewards)


class Linear(_Part):
    """A straight line from no points at `none` to all points at `full`, flat outside; `full` may be the lower one."""

    none: Bound
    full: Bound

    @model_validator(mode="after")
    def _has_a_slope(self) -> Self:
        if self.none == self.full:
            raise ValueError(f"expected two different values for none and full, got {self.none:g} twice")
        return self

    def points(self, values: Floats, most: float) -> Floats:
        """Points of `values`."""
        return most * np.clip((values - self.none) / (self.full - self.none), 0.0, 1.0)


class Target(_Part):
    """Points in the ratio of the value to a target: half the points at half of it.

    With `beyond: count` a value over the target gives more than the metric's points, as S4-61 has it; its
    dimension is then what limits it. A value below zero gives none.
    """

    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    beyond: Annotated[str, Field(pattern="^(clip|count)$", description="clip or count")] = "clip"

    def points(self, values: Floats, most: float) -> Floats:
        """Points of `values`."""
        ratio = np.maximum(values / self.value, 0.0)
        return most * (np.minimum(ratio, 1.0) if self.beyond == "clip" else ratio)


class DaysSince(_Part):
    """All points up to `full_until` days after something happened, none from `none_from` days on, a line between."""

    full_until: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    none_from: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.none_from <= self.full_until:
            raise ValueError(f"expected none_from above full_until ({self.full_until:g}), got {self.none_from:g}")
        return self

    def points(self, values: Floats, most: float) -> Floats:
        """Points of `values`, in days."""
        return Linear(none=self.none_from, full=self.full_until).points(values, most)


Normalisation = PointsTable | Linear | Target | DaysSince


class Form(_Part):
    """Exactly one of the four forms, as a file gives it."""

    table: Annotated[tuple[PointsRow, ...], Field(min_length=1)] | None = None
    linear: Linear | None = None
    target: Target | None = None
    days_since: DaysSince | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        forms = [form for form in (self.table, self.linear, self.target, self.days_since) if form is not None]
        if len(forms) != 1:
            found = f"got {len(forms)} of them" if forms else "got none of them"
            raise ValueError(f"expected one of table, linear, target and days_since, {found}")
        return self

    @cached_property
    def normalisation(self) -> Normalisation:
        """The form that is given."""
        if self.table is not None:
            return PointsTable(rows=self.table)
        form = self.linear or self.target or self.days_since
        assert form is not None
        return form
