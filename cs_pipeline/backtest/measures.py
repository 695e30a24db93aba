"""Measure how well a risk separates those who leave from those who stay. Pure: arrays in, figures out.

A risk is any number that should be higher for accounts that leave; of a health score it is the score's negative. An
account that is looked at often does not count as many: intervals are made over accounts, not over observations. Where
there is too little to say, the answer is `TooLittle`, never a number.
"""

from dataclasses import dataclass
from math import exp, isnan, log, sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cs_pipeline.backtest.design import FEWEST_ACCOUNTS

Floats = NDArray[np.float64]
Z = 1.959963984540054
"""Of an interval that holds the truth in 95 of 100 cases."""
TINY = 1e-9


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True)
class TooLittle:
    """The answer where there is too little data to say."""

    reason: str

    def __str__(self) -> str:
        return f"too little data to say: {self.reason}"


@dataclass(frozen=True)
class DidNotLearn:
    """The answer for a baseline that has nothing to say although there was enough to learn from."""

    reason: str

    def __str__(self) -> str:
        return f"did not learn, because {self.reason}"


NoAnswer = TooLittle | DidNotLearn


@dataclass(frozen=True)
class Separation:
    """How well a risk separates, on `observations` of which `departures` accounts left."""

    observations: int
    departures: int
    """Accounts that left, each counted once."""
    base_rate: float
    """Share of the observations that were followed by a departure."""
    auc: Interval
    """How often, of one who leaves and one who stays, the one who leaves has the higher risk."""
    average_precision: float
    """Mean share of leavers among those of highest risk; base_rate without any skill."""
    lift: float
    """Departures among the tenth with the highest risk, against an average tenth."""


def separation(outcome: ArrayLike, risk: ArrayLike, accounts: ArrayLike) -> Separation | TooLittle:
    """How well `risk` (n,) separates `outcome` (n,), where it is known; `accounts` (n,) says whose each row is.

    TooLittle with fewer than FEWEST_ACCOUNTS that left, or that stayed.
    """
    y, r, a = _known(outcome, risk, accounts)
    if reason := too_few(y, a):
        return TooLittle(reason)
    return Separation(
        observations=len(y),
        departures=len(np.unique(a[y])),
        base_rate=float(y.mean()),
        auc=auc_interval(y, r, a),
        average_precision=average_precision(y, r),
        lift=top_decile_lift(y, r),
    )


def too_few(outcome: NDArray[np.bool_], accounts: NDArray[np.generic]) -> str:
    """Why there is too little data to say; empty when there is enough."""
    left, stayed = len(np.unique(accounts[outcome])), len(np.unique(accounts[~outcome]))
    if left < FEWEST_ACCOUNTS:
        return f"{_count(left, 'account')} left, and {FEWEST_ACCOUNTS} are needed"
    if stayed < FEWEST_ACCOUNTS:
        return f"{_count(stayed, 'account')} stayed, and {FEWEST_ACCOUNTS} are needed"
    return ""


def auc_interval(outcome: ArrayLike, risk: ArrayLike, accounts: ArrayLike) -> Interval:
    """AUC with its interval, by the variance for clustered data (Obuchowski 1997; DeLong's where rows are accounts).

    The interval is symmetric in the logit, so that it stays within 0 and 1. Both outcomes must occur.
    """
    y, r, a = np.asarray(outcome, bool), np.asarray(risk, float), np.asarray(accounts)
    auc = single_auc(y, r)
    if min(auc, 1 - auc) < TINY:  # no spread is left to measure: as sure as that many accounts, all alike, can make us
        return Interval(round(auc), *wilson(round(auc) * len(np.unique(a[y])), len(np.unique(a[y]))))
    error = _standard_error(_influence(y, r, a))
    middle, reach = log(auc / (1 - auc)), Z * error / (auc * (1 - auc))
    return Interval(auc, _logistic(middle - reach), _logistic(middle + reach))


def auc_gain(outcome: ArrayLike, risk: ArrayLike, other: ArrayLike, accounts: ArrayLike) -> Interval:
    """By how much the AUC of `other` exceeds that of `risk` on the same rows, with the interval of the difference."""
    y, a = np.asarray(outcome, bool), np.asarray(accounts)
    one, two = np.asarray(risk, float), np.asarray(other, float)
    gain = single_auc(y, two) - single_auc(y, one)
    reach = Z * _standard_error(_influence(y, two, a) - _influence(y, one, a))
    return Interval(gain, gain - reach, gain + reach)


def average_precision(outcome: NDArray[np.bool_], risk: Floats) -> float:
    """Mean share of leavers among those of at least each leaver's risk; rows of the same risk count together.

    (scikit-learn has it too, at a second for its import, which a check of every week would pay.)
    """
    order = np.argsort(-risk, kind="stable")
    left, ranked = outcome[order].astype(float), risk[order]
    is_last = np.append(np.diff(ranked) != 0, True)
    found, seen = np.cumsum(left)[is_last], np.flatnonzero(is_last) + 1
    return float((np.diff(found, prepend=0.0) * found / seen).sum() / found[-1])


def top_decile_lift(outcome: ArrayLike, risk: ArrayLike) -> float:
    """Share of departures in the tenth with the highest risk, divided by their share overall.

    Rows that tie at the edge of the tenth count in part, so the order of rows does not matter.
    """
    y, r = np.asarray(outcome, float), np.asarray(risk, float)
    order = np.argsort(-r, kind="stable")
    size = len(y) / 10
    edge = r[order[min(int(np.ceil(size)) - 1, len(y) - 1)]]
    above, at_edge = r > edge, r == edge
    found = y[above].sum() + y[at_edge].mean() * (size - above.sum())
    return float(found / size / y.mean())


def wilson(successes: float, total: float) -> tuple[float, float]:
    """Ends of Wilson's 95 % interval of a share; 0 and 1 for a share of nothing."""
    if total == 0:
        return 0.0, 1.0
    share, z2 = successes / total, Z * Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    reach = Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    return max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))


def shares(outcome: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Columns group, observations, departures, share, low, high: observed shares with Wilson's interval.

    `departures` counts observations that were followed by one. Rows are in the order of the groups' values.
    """
    counted = outcome.groupby(groups, observed=True, sort=True).agg(observations="size", departures="sum")
    ends = [wilson(row.departures, row.observations) for row in counted.itertuples()]
    return pd.DataFrame(
        {
            "group": counted.index,
            "observations": counted["observations"].to_numpy(int),
            "departures": counted["departures"].to_numpy(int),
            "share": (counted["departures"] / counted["observations"]).to_numpy(float),
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def calibration(outcome: pd.Series, score: pd.Series) -> pd.DataFrame:
    """Columns score_from, score_to, and those of `shares` but group: tenths of the observations by score.

    Equal scores stay together, so there are fewer than ten rows where many are alike, and one where all are.
    """
    is_one = score.nunique() == 1  # of which qcut makes no tenth at all
    tenths = score * 0 if is_one else pd.qcut(score, 10, labels=False, duplicates="drop")
    table = shares(outcome, tenths)
    edges = score.groupby(tenths).agg(["min", "max"])
    table.insert(0, "score_from", edges["min"].to_numpy())
    table.insert(1, "score_to", edges["max"].to_numpy())
    return table.drop(columns="group")


def share_in_words(share: float, low: float, high: float) -> str:
    """A share with the ends of its interval, in percent."""
    return f"{share:.1%} ({low:.1%} to {high:.1%})"


def warning_weeks(account: pd.Series, days_left: pd.Series, is_warned: pd.Series) -> pd.Series:
    """Weeks of warning of each account: how long before its departure it turned `is_warned` and stayed so to the end.

    Rows are account-weeks, `days_left` the days from the end of each until the departure. 0 when the last was not.
    """
    rows = pd.DataFrame({"account": account, "days_left": days_left, "is_warned": is_warned})
    rows = rows.sort_values(["account", "days_left"], kind="stable")
    is_stretch = rows.groupby("account")["is_warned"].cummin().astype(bool)
    longest = rows["days_left"].where(is_stretch, 0).groupby(rows["account"]).max()
    return (longest // 7).astype(int)


def _known(
    outcome: ArrayLike, risk: ArrayLike, accounts: ArrayLike
) -> tuple[NDArray[np.bool_], Floats, NDArray[np.generic]]:
    y, r, a = np.asarray(outcome, bool), np.asarray(risk, float), np.asarray(accounts)
    is_known = ~np.isnan(r)
    return y[is_known], r[is_known], a[is_known]


def _influence(outcome: NDArray[np.bool_], risk: Floats, accounts: NDArray[np.generic]) -> Floats:
    """What each account does to the AUC; the sum of squares is its variance."""
    left, stayed = int(outcome.sum()), int((~outcome).sum())
    ranks = _ranks(risk)
    below = np.empty(len(risk))  # for one who leaves, the share of stayers below; for a stayer, that of leavers above
    below[outcome] = (ranks[outcome] - _ranks(risk[outcome])) / stayed
    below[~outcome] = 1 - (ranks[~outcome] - _ranks(risk[~outcome])) / left
    auc = below[outcome].mean()
    pull = (below - auc) / np.where(outcome, left, stayed)
    _, codes = np.unique(accounts, return_inverse=True)
    return np.bincount(codes, weights=pull).astype(np.float64)


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs. (scipy.stats has it too, at seconds for its import.)"""
    return np.asarray(pd.Series(values).rank(), dtype=np.float64)


def _standard_error(influence: Floats) -> float:
    clusters = len(influence)
    return sqrt(float(np.square(influence).sum()) * clusters / max(clusters - 1, 1))


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value >= 0 else exp(value) / (1 + exp(value))


def _count(number: int, noun: str) -> str:
    return f"no {noun}" if number == 0 else f"only {number} {noun}{'' if number == 1 else 's'}"


def single_auc(outcome: NDArray[np.bool_], values: Floats) -> float:
    """AUC of one metric where it is known; NaN when only one outcome is."""
    is_known = ~np.isnan(values)
    left, known = int(outcome[is_known].sum()), int(is_known.sum())
    if left in (0, known):
        return float("nan")
    ranks = _ranks(values[is_known])
    return float((ranks[outcome[is_known]].sum() - left * (left + 1) / 2) / (left * (known - left)))


def separates(auc: float) -> float:
    """How well something of this AUC separates in either direction, 0.5 to 1; 0.5 when it is unknown."""
    return 0.5 if isnan(auc) else max(auc, 1 - auc)
