"""Bands that do not flicker: what a model may ask for before an account changes band, and how it is decided.

Here belongs everything by which the band of a week depends on the weeks before it. `bands_of` gives
the band of a score alone. Accounts are decided all at once; a week is one step, from what the week before left to
what this week leaves.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NO_BAND = -1
DAYS = 7


class Steadiness(BaseModel):
    """What a score must do before its account changes band. Everything is off in the literal models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steadiness: Annotated[float, Field(ge=0, le=30, description="points past the bound of a band")] = 0.0
    dwell_weeks: Annotated[int, Field(ge=1, le=26, description="fewest weeks in a band")] = 1
    confirm_weeks: Annotated[int, Field(ge=1, le=26, description="weeks in a row on the other side")] = 1
    calendar: Literal["counts", "left_out"] = Field(
        default="counts", description="left_out: bands look at the score without metrics that the calendar moves"
    )


class Escalation(BaseModel):
    """When an account on watch is at risk although its band says less (C-11, ours)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_severity: Annotated[int, Field(ge=0, le=2)] = 1
    to_severity: Annotated[int, Field(ge=1, le=3)] = 2
    falling_points: Annotated[float, Field(gt=0, le=100)] = 10.0
    over_weeks: Annotated[int, Field(ge=1, le=26)] = 4
    days_in_band: Annotated[int, Field(ge=1, le=365)] = 30


@dataclass(frozen=True)
class Standing:
    """Where n accounts stand after a week."""

    band: Integers
    """(n,) position in the model's bands; NO_BAND without one."""
    weeks_in_band: Integers
    """(n,) weeks in a row with this band, this one included; 0 without one."""
    leaning: Integers
    """(n,) weeks in a row that the score asked for a healthier (positive) or worse (negative) band in vain."""

    @classmethod
    def nowhere(cls, accounts: int) -> "Standing":
        """Accounts that have no band yet."""
        return cls(np.full(accounts, NO_BAND), np.zeros(accounts, np.int64), np.zeros(accounts, np.int64))


def settle(steadiness: Steadiness, bounds: Floats, score: Floats, before: Standing) -> Standing:
    """Bands after a week, from its scores (n,) and where the accounts stood; NaN is no score and gives no band.

    `bounds` are the lower bounds of the bands, healthiest first. An account without a band takes the one that its
    score gives. Any other leaves its band when its score is past the bound by the steadiness, it has been there for
    the dwell weeks, and this is the last of the weeks in a row that confirm it.
    """
    by_score = bands_of(bounds, score)
    is_new = before.band == NO_BAND
    better = bands_of(bounds, score - steadiness.steadiness)
    worse = bands_of(bounds, score + steadiness.steadiness)
    wanted = np.where(better < before.band, better, np.where(worse > before.band, worse, before.band))
    direction = np.sign(before.band - wanted)
    goes_on = np.sign(before.leaning) == direction
    leaning = np.where(direction == 0, 0, np.where(goes_on, before.leaning, 0) + direction)
    moves = (
        (direction != 0)
        & (np.abs(leaning) >= steadiness.confirm_weeks)
        & (before.weeks_in_band >= steadiness.dwell_weeks)
    )
    band = np.where(is_new, by_score, np.where(moves, wanted, before.band))
    weeks = np.where(is_new | moves, 1, before.weeks_in_band + 1)
    is_scored = ~np.isnan(score)
    return Standing(
        np.where(is_scored, band, NO_BAND),
        np.where(is_scored, weeks, 0),
        np.where(is_scored & ~is_new & ~moves, leaning, 0),
    )


def escalate(
    escalation: Escalation, severity: Integers, score: Floats, weeks_in_band: Integers, earlier_score: Floats
) -> Integers:
    """Severities (n,) with those raised that fell by so many points since `earlier_score`, or stay for so long.

    `earlier_score` (n,) is that of `over_weeks` weeks before; NaN where there was none.
    """
    is_falling = earlier_score - score >= escalation.falling_points
    stays = weeks_in_band * DAYS > escalation.days_in_band
    raised = (severity == escalation.from_severity) & (is_falling | stays)
    return np.where(raised, escalation.to_severity, severity)


def bands_of(bounds: Floats, score: Floats) -> Integers:
    """Positions (n,) of the bands of scores by the lower bound of each, unrounded (C-07); NO_BAND without a score."""
    ascending = bounds[::-1]
    found = len(bounds) - np.searchsorted(ascending, np.maximum(score, 0.0), side="right")
    return np.where(np.isnan(score), NO_BAND, found)
