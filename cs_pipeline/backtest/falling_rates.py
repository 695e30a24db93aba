"""Departure rates that only fall towards the healthy side, and the few of them that are told apart for sure. Pure.

Of a metric's values they make the steps of a points table, of a score the likelihood of leaving. Rates are made
monotone by pooling neighbours that go the other way (Best and Chakravarti 1990).
"""

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.backtest.measures import Floats

NOTABLE = 6.6
"""Chi-squared from which two rates are told apart: chance makes them differ as much in one of a hundred cases."""


def departure_rates(departures: Floats, observations: Floats, base: float, *, is_more_healthier: bool) -> Floats:
    """Rates (b,) that only fall towards the healthy side, drawn to `base` by the weight of one rarer outcome.

    A bin without an observation has the rate of its neighbours. `departures` and `observations` are (b,).
    """
    order = slice(None) if is_more_healthier else slice(None, None, -1)
    left, looked_at = (1.0, 1 / base) if base <= 0.5 else (base / (1 - base), 1 / (1 - base))
    return _falling(departures[order] + left, observations[order] + looked_at)[order]


def rates_told_apart(
    departures: Floats, observations: Floats, base: float, *, most: int, fewest: float, is_more_healthier: bool
) -> tuple[NDArray[np.intp], Floats]:
    """At most `most` steps out of bins (b,): the last bin (s - 1,) of each but the last, and the rate (s,) of each.

    Adjoining bins are joined, those that differ least first, while a step holds fewer observations than `fewest`, or
    no NOTABLE difference, or there are too many.
    """
    rates = departure_rates(departures, observations, base, is_more_healthier=is_more_healthier)
    keep = np.flatnonzero(np.diff(rates) != 0)
    while len(keep):
        sizes, counts = summed(observations, keep), summed(departures, keep)
        difference = _chi_squared(counts, sizes)
        is_small = np.minimum(sizes[:-1], sizes[1:]) < fewest
        if not is_small.any() and len(keep) < most and difference.min() >= NOTABLE:
            break
        keep = np.delete(keep, np.where(is_small | ~is_small.any(), difference, np.inf).argmin())
    of_steps = departure_rates(
        summed(departures, keep), summed(observations, keep), base, is_more_healthier=is_more_healthier
    )
    return keep, of_steps


def summed(values: Floats, keep: NDArray[np.intp]) -> Floats:
    """Sums (s,) of the values of bins (b,) in each step, of which `keep` are the last bins of all but the last."""
    return np.add.reduceat(values, np.concatenate([[0], keep + 1]))


def _falling(counts: Floats, sizes: Floats) -> Floats:
    """Rates counts/sizes made to fall only, by pooling neighbours that rise."""
    pools: list[list[float]] = []
    for count, size in zip(counts, sizes, strict=True):
        pools.append([count, size, 1])
        while len(pools) > 1 and pools[-1][0] * pools[-2][1] >= pools[-2][0] * pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return np.repeat([count / size for count, size, _ in pools], [int(length) for *_, length in pools])


def _chi_squared(counts: Floats, sizes: Floats) -> Floats:
    """How surely each step's rate is another than the next one's: (s - 1,)."""
    rates = counts / np.maximum(sizes, 1)
    pooled = (counts[:-1] + counts[1:]) / np.maximum(sizes[:-1] + sizes[1:], 1)
    spread = pooled * (1 - pooled) * (1 / np.maximum(sizes[:-1], 1) + 1 / np.maximum(sizes[1:], 1))
    return np.square(np.diff(rates)) / np.maximum(spread, 1e-12)
