"""Turn the values of one metric into steps: ranges whose departure rates go one way only, the one that people expect.

Here belongs what a single metric says by itself. Which metrics a model gets is in `selection`, how many points a step
gives is in `points`. The form is that of credit scoring: weight of evidence (Siddiqi 2017, Credit Risk Scorecards) of
bins that an isotonic regression has made monotone (Best and Chakravarti 1990, pooling adjacent violators).
"""

from dataclasses import dataclass
from math import floor, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.backtest.falling_rates import rates_told_apart
from cs_pipeline.backtest.measures import Floats

Integers = NDArray[np.integer]

MOST_BINS = 20
"""Ranges of about as many observations each that a metric is cut into at first."""
MOST_STEPS = 5
"""Rows of a points table, so that it fits into a head."""
FEWEST = 0.03
"""Share of the observations that a step is made of at least."""
DIGITS = 2
"""Significant digits of a bound: 0.43, not 0.42857."""
UNKNOWN = -1


@dataclass(frozen=True)
class Bins:
    """Ranges of a metric: bin i holds values from edges[i - 1] up to edges[i]."""

    edges: Floats
    """(b - 1,) ascending."""

    def __len__(self) -> int:
        return len(self.edges) + 1

    def of(self, values: Floats) -> Integers:
        """Bin (n,) of each value; UNKNOWN where it is missing."""
        found = np.searchsorted(self.edges, values, side="right")
        return np.where(np.isnan(values), UNKNOWN, found)

    def joined(self, keep: Integers) -> "Bins":
        """The bins with only the edges at these positions left."""
        return Bins(self.edges[keep])


def cut(values: Floats) -> Bins:
    """Bins of about as many known values each; the few values of a count or a flag have a bin each."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) <= MOST_BINS:
        return Bins(distinct[1:])
    asked = np.quantile(known, np.linspace(0, 1, MOST_BINS + 1)[1:-1])
    edges = np.unique([_short(edge) for edge in asked])
    return Bins(edges[(edges > distinct[0]) & (edges <= distinct[-1])])


def evidence(rates: Floats, base: float) -> Floats:
    """Weight of evidence (b,) of rates: log-odds of staying, against the average; 0 says nothing."""
    return np.log((1 - rates) / rates) - np.log((1 - base) / base)


def steps(bins: Bins, codes: Integers, outcome: NDArray[np.bool_], *, is_more_healthier: bool) -> tuple[Bins, Floats]:
    """At most MOST_STEPS steps and the evidence (s,) of each, from known `codes` (n,); one step says nothing.

    Adjoining bins are joined, those that differ least first, while a step is smaller than FEWEST, or no NOTABLE one, or
    there are too many.
    """
    known = codes != UNKNOWN
    observations = np.bincount(codes[known], minlength=len(bins)).astype(float)
    departures = np.bincount(codes[known], outcome[known], minlength=len(bins)).astype(float)
    base = float(outcome.mean())
    fewest = FEWEST * observations.sum()
    keep, rates = rates_told_apart(
        departures, observations, base, most=MOST_STEPS, fewest=fewest, is_more_healthier=is_more_healthier
    )
    return bins.joined(keep), evidence(rates, base)


def _short(value: float) -> float:
    """The value with DIGITS significant digits."""
    if value == 0 or not isfinite(value):
        return value
    return round(value, DIGITS - 1 - floor(log10(abs(value))))
