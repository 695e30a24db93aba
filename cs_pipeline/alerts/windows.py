"""Windows in time: what of an account falls into the days after a firing, and how often it does by chance. Pure.

Days are whole numbers, accounts are codes from 0. A firing on day t is followed by a happening on day d when
t + lead < d <= t + within, so a happening on day d stands in the windows of the days d - within to d - lead - 1.
"""

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from cs_pipeline.backtest.measures import Interval, Z

Ints = NDArray[np.int64]
FAR = 2**20
"""More days than there are between any two; account and day in one number are account * FAR + day."""


@dataclass(frozen=True)
class Days:
    """Something on a day of an account, one element each; sorted by account and day."""

    account: Ints
    day: Ints

    @classmethod
    def of(cls, account: Ints, day: Ints) -> "Days":
        """The same, sorted."""
        order = np.lexsort((day, account))
        return cls(account[order], day[order])

    @property
    def key(self) -> Ints:
        """Account and day in one number, ascending."""
        return self.account * FAR + self.day


@dataclass(frozen=True)
class Stretches:
    """Days in a row of accounts, `first` to `last` both included; those of one account do not overlap."""

    account: Ints
    first: Ints
    last: Ints

    def kept(self) -> "Stretches":
        """Those that hold a day."""
        holds = self.first <= self.last
        return Stretches(self.account[holds], self.first[holds], self.last[holds])

    def within(self, others: "Stretches") -> "Stretches":
        """What of each lies within the stretch of its account in `others`, which has one an account, sorted."""
        at = np.searchsorted(others.account, self.account)
        at = np.minimum(at, max(len(others.account) - 1, 0))
        if not len(others.account):
            return Stretches(self.account[:0], self.first[:0], self.last[:0])
        has = others.account[at] == self.account
        first, last = np.maximum(self.first, others.first[at]), np.minimum(self.last, others.last[at])
        return Stretches(self.account[has], first[has], last[has]).kept()


@dataclass(frozen=True)
class Lift:
    """How much more often firings were followed than the book on the same days.

    base_rate: share of the book that was, over the days of the firings. ratio: share of the firings, over base_rate;
    None where the book was never followed.
    """

    base_rate: float
    ratio: Interval | None


def stretches_before(happenings: Days, lead: int, within: int) -> Stretches:
    """The days in whose windows a happening stands. Days in several windows of an account count once."""
    first, last = happenings.day - within, happenings.day - lead - 1
    is_next = np.r_[False, happenings.account[1:] == happenings.account[:-1]]
    before = np.r_[0, last[:-1]] + 1
    return Stretches(happenings.account, np.where(is_next, np.maximum(first, before), first), last).kept()


def are_followed(firings: Days, happenings: Days, lead: int, within: int) -> NDArray[np.bool_]:
    """Which firings have a happening in their window."""
    key = happenings.key
    return np.searchsorted(key, firings.key + within, "right") > np.searchsorted(key, firings.key + lead + 1, "left")


def days_from_first_firing(firings: Days, happenings: Days, lead: int, within: int) -> Ints:
    """Of each happening, the days from the first firing in whose window it stands; -1 where there is none."""
    key = np.r_[firings.key, np.iinfo(np.int64).max]
    found = key[np.searchsorted(key, happenings.key - within, "left")]
    return np.where(found <= happenings.key - lead - 1, happenings.key - found, -1)


def lift(firings: Days, followed: NDArray[np.bool_], book: Stretches, followed_book: Stretches) -> Lift:
    """How much more often `firings` were followed (`followed`) than all of `book` on the same days.

    On the day t of a firing, the share of the book that is followed is e(t) = followed_book(t) / book(t); base_rate is
    its mean over the firings, and the ratio is observed to expected, as of a standardised ratio. Its 95 % interval is
    by linearisation of the two totals with accounts as the units that are drawn (Binder 1983; Cochran 1977, ch. 6), in
    the firings and in the book, so an account that fires often does not count as many. It is symmetric in the
    logarithm; without a follower its lower end is 0, and its upper end that of Wilson's interval.
    """
    total, expected_none = len(firings.day), Lift(0.0, None)
    if not total or not len(book.account):
        return expected_none
    start = int(min(firings.day.min(), book.first.min(), followed_book.first.min(initial=book.first.min())))
    end = int(max(firings.day.max(), book.last.max(), followed_book.last.max(initial=book.last.max()))) + 2
    on_day = np.bincount(firings.day - start, minlength=end - start).astype(float)
    size, hits = (_count(stretches, start, end) for stretches in (book, followed_book))
    inverse = np.divide(1, size, out=np.zeros(len(size)), where=size > 0)
    rate = hits * inverse
    expected = float((on_day * rate).sum())
    if expected == 0:
        return expected_none
    accounts = int(max(firings.account.max(), book.account.max())) + 1
    seen = np.bincount(firings.account, followed.astype(float), accounts)
    # What each account adds to the expected total: by its firings, and by its part in the rates of their days.
    weight = np.bincount(firings.account, rate[firings.day - start], accounts)
    weight += np.bincount(followed_book.account, _sum(on_day * inverse, followed_book, start), accounts)
    weight -= np.bincount(book.account, _sum(on_day * rate * inverse, book, start), accounts)
    observed = float(seen.sum())
    return Lift(expected / total, _ratio(observed, expected, seen, weight, total))


def _ratio(observed: float, expected: float, seen: np.ndarray, weight: np.ndarray, total: int) -> Interval:
    ratio = observed / expected
    if observed == 0:
        z2 = Z * Z
        return Interval(0.0, 0.0, z2 / (total + z2) / (expected / total))
    accounts = len(seen)
    spread = sqrt(float(np.square(seen - ratio * weight).sum()) * accounts / max(accounts - 1, 1)) / observed
    return Interval(ratio, ratio * exp(-Z * spread), ratio * exp(Z * spread))


def _count(stretches: Stretches, start: int, end: int) -> np.ndarray:
    """On how many stretches each day from `start` lies."""
    opened = np.bincount(stretches.first - start, minlength=end - start)
    ended = np.bincount(stretches.last + 1 - start, minlength=end - start)
    return np.cumsum(opened - ended).astype(float)


def _sum(values: np.ndarray, stretches: Stretches, start: int) -> np.ndarray:
    """The sum of `values`, one a day from `start`, over the days of each stretch."""
    until = np.r_[0.0, np.cumsum(values)]
    return until[stretches.last + 1 - start] - until[stretches.first - start]
