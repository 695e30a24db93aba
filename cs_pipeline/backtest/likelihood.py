"""From a score to the likelihood of leaving within 90 days, by what became of accounts with such a score. Pure.

Each account is looked at once in 13 weeks, in weeks of its own, so that each departure counts once and intervals are
not too narrow. What is stated at the end of a week has learned from windows that had closed by then: 90 days, and the
30 in which a lapsed contract may still be renewed. Reading and storing is in `calibrations`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from cs_pipeline.backtest.design import FEWEST_ACCOUNTS
from cs_pipeline.backtest.falling_rates import rates_told_apart, summed
from cs_pipeline.backtest.measures import Floats, TooLittle, share_in_words, wilson

WITHIN_DAYS = 90
LAPSE_DAYS = 30
"""Days after the end of a contract in which a successor may still come (see `observations.outcomes.sql`)."""
EVERY_WEEKS = 13
LOOKED_BACK = 104
"""Newest closed weeks that are learned from."""
CLOSES_AFTER = timedelta(weeks=-(-(WITHIN_DAYS + LAPSE_DAYS) // 7))
"""From a week that is looked at to the first that may learn from it."""
SCORES = 101
"""Whole scores, 0 to 100; 63.7 counts as 63."""
MOST_STEPS = 10
FEWEST = 0.02
"""Share of what was looked at that a step is made of at least; and FEWEST_ACCOUNTS accounts."""


@dataclass(frozen=True)
class Calibration:
    """Likelihoods by score, as steps (s,): step i reaches from score_from[i] to score_from[i + 1]."""

    score_from: Floats
    """The first is 0."""
    likelihood: Floats
    """Falls as the score rises."""
    low: Floats
    high: Floats
    observations: Floats
    departures: Floats

    def step_of(self, score: Floats) -> np.ndarray:
        """Step (n,) of each score."""
        return np.searchsorted(self.score_from, score, side="right") - 1

    @property
    def base_rate(self) -> float:
        """How many left, whatever the score."""
        return float(self.departures.sum() / self.observations.sum())


def calibrate(observations: Floats, departures: Floats) -> Calibration | TooLittle:
    """Likelihoods from what was looked at, and left, (SCORES,) by whole score.

    TooLittle with fewer than FEWEST_ACCOUNTS departures, or others.
    """
    left, looked_at = float(departures.sum()), float(observations.sum())
    if reason := too_little(left, looked_at):
        return TooLittle(reason)
    base = left / looked_at
    fewest = max(FEWEST * looked_at, FEWEST_ACCOUNTS)
    keep, likelihood = rates_told_apart(
        departures, observations, base, most=MOST_STEPS, fewest=fewest, is_more_healthier=True
    )
    sizes, counts = summed(observations, keep), summed(departures, keep)
    weights = sizes + 1 / base  # as they are drawn to the base rate
    ends = [wilson(share * weight, weight) for share, weight in zip(likelihood, weights, strict=True)]
    low, high = np.array(ends).T
    return Calibration(np.concatenate([[0.0], keep + 1.0]), likelihood, low, high, sizes, counts)


def too_little(departures: float, observations: float) -> str:
    """Why nothing is said, and what would be enough; empty where it is."""
    if departures < FEWEST_ACCOUNTS:
        return (
            f"{departures:.0f} departures in windows of {WITHIN_DAYS} days that are over, and {FEWEST_ACCOUNTS} are "
            "needed"
        )
    if observations - departures < FEWEST_ACCOUNTS:
        return f"{observations - departures:.0f} accounts stayed, and {FEWEST_ACCOUNTS} are needed"
    return ""


def in_words(likelihood: float, low: float, high: float) -> str:
    """One sentence."""
    return f"Of accounts with such a score, {share_in_words(likelihood, low, high)} left within {WITHIN_DAYS} days."


def counted(scores: Floats, departs: np.ndarray) -> tuple[Floats, Floats]:
    """Observations and departures (SCORES,) by whole score; all scores are known."""
    whole = np.floor(scores).astype(int)
    return (
        np.bincount(whole, minlength=SCORES).astype(float),
        np.bincount(whole, departs.astype(float), minlength=SCORES).astype(float),
    )


@dataclass(frozen=True)
class Reliability:
    """Likelihoods as they would have been stated week by week, held against what happened since."""

    observations: int
    departures: int
    brier: float
    """Mean square of likelihood less outcome."""
    brier_of_base_rate: float
    """The same of the share that had left until each week, stated for everybody."""
    table: pd.DataFrame
    """stated_from, stated_to, stated (mean), observations, departures, share, low, high; lowest likelihood first."""

    @property
    def skill(self) -> float:
        """By which part the score's likelihoods err less than the base rate; 0 is none, 1 knows all."""
        return 1 - self.brier / self.brier_of_base_rate


def hold_against_outcomes(rows: pd.DataFrame) -> Reliability | TooLittle:
    """State likelihoods for `rows` as of their weeks, each from weeks that were closed by then, and judge them.

    Columns week (Mondays), score (known), departs.
    """
    stated = [each for each in _stated(rows) if len(each)]
    if not stated:
        left, looked_at = float(rows["departs"].sum()), float(len(rows))
        if not (reason := too_little(left, looked_at)):
            reason = "no window that closed later than those learned from"
        return TooLittle(reason)
    judged = pd.concat(stated)
    departs = judged["departs"].to_numpy(float)
    if departs.sum() < FEWEST_ACCOUNTS:
        return TooLittle(
            f"{departs.sum():.0f} departures in the windows for which a likelihood could be stated, and "
            f"{FEWEST_ACCOUNTS} are needed"
        )
    return Reliability(
        observations=len(judged),
        departures=int(departs.sum()),
        brier=float(np.square(judged["stated"] - departs).mean()),
        brier_of_base_rate=float(np.square(judged["base_rate"] - departs).mean()),
        table=_table(judged),
    )


def _stated(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each week for which something could be said then: departs, stated, base_rate."""
    weeks = sorted(map(pd.Timestamp, rows["week"].unique()))
    by_week = {week: rows[rows["week"] == week] for week in weeks}
    counts = {
        week: counted(each["score"].to_numpy(float), each["departs"].to_numpy(bool)) for week, each in by_week.items()
    }
    for week in weeks:
        learned = [
            counts[each]
            for each in weeks
            if week - CLOSES_AFTER - timedelta(weeks=LOOKED_BACK) < each <= week - CLOSES_AFTER
        ]
        if not learned:
            continue
        observations, departures = (np.sum([each[part] for each in learned], axis=0) for part in (0, 1))
        found = calibrate(observations, departures)
        if isinstance(found, Calibration):
            of_week = by_week[week]
            stated = found.likelihood[found.step_of(of_week["score"].to_numpy(float))]
            yield of_week[["departs"]].assign(stated=stated, base_rate=found.base_rate)


def _table(judged: pd.DataFrame) -> pd.DataFrame:
    """A row for each tenth of what was stated; equal likelihoods stay together."""
    ranks = judged["stated"].rank(method="max", pct=True)
    tenths = np.ceil(ranks * 10 - 1e-9).astype(int)
    found = judged.groupby(tenths).agg(
        stated_from=("stated", "min"),
        stated_to=("stated", "max"),
        stated=("stated", "mean"),
        observations=("departs", "size"),
        departures=("departs", "sum"),
    )
    sizes, counts = found["observations"].to_numpy(float), found["departures"].to_numpy(float)
    ends = [wilson(count, size) for count, size in zip(counts, sizes, strict=True)]
    share = found["departures"] / found["observations"]
    return found.assign(share=share, low=[low for low, _ in ends], high=[high for _, high in ends]).reset_index(
        drop=True
    )
