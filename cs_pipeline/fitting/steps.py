"""Turn the values of one metric into steps: ranges whose departure rates go one way only, the one that people expect.

Here belongs what a single metric says by itself. Which metrics a model gets is in `selection`, how many points a step
gives is in `points`. The form is that of credit scoring: weight of evidence (Siddiqi 2017, Credit Risk Scorecards) of
bins that an isotonic regression has made monotone (Best and Chakravarti 1990, pooling adjacent violators).
"""

from dataclasses import dataclass
from math import floor, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.backtest.measures import Floats

Integers = NDArray[np.integer]

MOST_BINS = 20
"""Ranges of about as many observations each that a metric is cut into at first."""
MOST_STEPS = 5
"""Rows of a points table, so that it fits into a head."""
FEWEST = 0.03
"""Share of the observations that a step is made of at least."""
NOTABLE = 6.6
"""Chi-squared from which two steps are told apart: chance makes them differ as much in one of a hundred cases."""
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


def departure_rates(departures: Floats, observations: Floats, base: float, *, is_more_healthier: bool) -> Floats:
    """Rates (b,) that only fall towards the healthy side, drawn to `base` by as much as one departure weighs.

    A bin without an observation has the rate of its neighbours. `departures` and `observations` are (b,).
    """
    order = slice(None) if is_more_healthier else slice(None, None, -1)
    prior = 1 / base
    return _falling((departures[order] + 1), observations[order] + prior)[order]


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
    rates = departure_rates(departures, observations, base, is_more_healthier=is_more_healthier)
    keep = np.flatnonzero(np.diff(rates) != 0)
    while len(keep):
        sizes, counts = _summed(observations, keep), _summed(departures, keep)
        difference = _chi_squared(counts, sizes)
        is_small = np.minimum(sizes[:-1], sizes[1:]) < FEWEST * observations.sum()
        if not is_small.any() and len(keep) < MOST_STEPS and difference.min() >= NOTABLE:
            break
        keep = np.delete(keep, np.where(is_small | ~is_small.any(), difference, np.inf).argmin())
    rates = departure_rates(
        _summed(departures, keep), _summed(observations, keep), base, is_more_healthier=is_more_healthier
    )
    return bins.joined(keep), evidence(rates, base)


def _falling(counts: Floats, sizes: Floats) -> Floats:
    """Rates counts/sizes made to fall only, by pooling neighbours that rise."""
    pools: list[list[float]] = []
    for count, size in zip(counts, sizes, strict=True):
        pools.append([count, size, 1])
        while len(pools) > 1 and pools[-1][0] * pools[-2][1] >= pools[-2][0] * pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return np.repeat([count / size for count, size, _ in pools], [int(length) for *_, length in pools])


def _summed(values: Floats, keep: Integers) -> Floats:
    return np.add.reduceat(values, np.concatenate([[0], keep + 1]))


def _chi_squared(counts: Floats, sizes: Floats) -> Floats:
    """How surely each step's rate is another than the next one's: (s - 1,)."""
    rates = counts / np.maximum(sizes, 1)
    pooled = (counts[:-1] + counts[1:]) / np.maximum(sizes[:-1] + sizes[1:], 1)
    spread = pooled * (1 - pooled) * (1 / np.maximum(sizes[:-1], 1) + 1 / np.maximum(sizes[1:], 1))
    return np.square(np.diff(rates)) / np.maximum(spread, 1e-12)


def _short(value: float) -> float:
    """The value with DIGITS significant digits."""
    if value == 0 or not isfinite(value):
        return value
    return round(value, DIGITS - 1 - floor(log10(abs(value))))
