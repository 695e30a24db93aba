"""Weeks scored again in memory: what models would have said, week after week, had they been asked. Nothing is written.

Bands come out as `scores` would write them: with steadiness, escalation, what people set, and scores that are held
while the events are stale. What is kept from week to week is where each account stands, so memory does not grow with
the weeks.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cs_pipeline.health.scoring import Arithmetic, Floats, Integers, Scores
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND, Standing
from cs_pipeline.health.weekly import Counting, overridden, severity_of, weekly_scores
from cs_pipeline.history.account_weeks import account_weeks, set_by_hand
from cs_pipeline.history.previous_scores import LOOK_BACK
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.stale_weeks import is_stale, needs_events
from cs_pipeline.history.weeks import WEEK, require_marts
from cs_pipeline.warehouse.bulk import read_frame
from cs_pipeline.warehouse.connection import Warehouse

Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True)
class ReplayedWeek:
    """The accounts of a week. An account has the same place in every week that it is in."""

    week: date
    frame: pd.DataFrame
    """Columns of `account_weeks`: account_id, those that a selection asks for, metrics, overrides."""
    places: Integers
    """(n,) place of each row."""
    known: int
    """Places given so far: the length of arrays with one element an account."""
    is_stale: bool
    """The week's events did not arrive."""


def replay_weeks(warehouse: Warehouse, models: Sequence[ScoreModel], first: date, last: date) -> Iterator[ReplayedWeek]:
    """The weeks `first` to `last` (Mondays) with what `models` look at, one query each.

    Raises UserError when the mart is not built.
    """
    require_marts(warehouse, "fct_account_weeks")
    forgetful = [model.changed(steadiness=None, escalation=None) for model in models]  # memory is kept here
    ids = pd.Index([], dtype="str")
    with warehouse.arrow() as connection:
        week = first
        while week <= last:
            frame = read_frame(connection, account_weeks(forgetful, week, Scope()))
            accounts = pd.Index(frame["account_id"], dtype="str")
            ids = ids.append(accounts.difference(ids, sort=False))
            places = np.asarray(ids.get_indexer(accounts), dtype=np.int64)
            yield ReplayedWeek(week, frame, places, len(ids), is_stale(connection, week))
            week += WEEK


@dataclass(frozen=True)
class Situation:
    """What counts for every account after a week, by place; NO_BAND and NaN where it has no score in the week."""

    score: Floats
    band: Integers
    severity: Integers

    @classmethod
    def unknown(cls, accounts: int) -> "Situation":
        """Accounts without a score."""
        nowhere = np.full(accounts, NO_BAND)
        return cls(np.full(accounts, np.nan), nowhere, nowhere.copy())


class Replay:
    """One model, followed from week to week; its first week knows nothing of the weeks before."""

    def __init__(self, model: ScoreModel) -> None:
        self.arithmetic = Arithmetic(model)
        self.situation = Situation.unknown(0)
        self._standing = Standing.nowhere(0)
        self._model_scores: deque[Floats] = deque(maxlen=model.escalation.over_weeks if model.escalation else 1)

    @property
    def model(self) -> ScoreModel:
        """The model that is followed."""
        return self.arithmetic.model

    def advance(self, replayed: ReplayedWeek, scores: Scores | None = None) -> Situation:
        """What counts after the next week. `scores` are the model's for the week, where somebody has them already."""
        if replayed.is_stale and needs_events(self.model):
            self._hold(replayed)
        else:
            self._score(replayed, scores or self.arithmetic.score(replayed.frame))
        return self.situation

    def _score(self, replayed: ReplayedWeek, scores: Scores) -> None:
        places, known, model = replayed.places, replayed.known, self.model
        before = _resized(self._standing, known)
        weekly = weekly_scores(
            self.arithmetic,
            scores,
            Standing(before.band[places], before.weeks_in_band[places], before.leaning[places]),
            self._score_before(replayed) if model.escalation else None,
            set_by_hand(model, replayed.frame),
        )
        standing = weekly.standing
        assert standing is not None  # asked for by giving it the standing before
        self.situation = Situation(
            _placed(weekly.score, places, known, np.nan),
            _placed(weekly.band, places, known, NO_BAND),
            _placed(weekly.severity, places, known, NO_BAND),
        )
        self._standing = Standing(
            _placed(standing.band, places, known, NO_BAND),
            _placed(standing.weeks_in_band, places, known, 0),
            _placed(standing.leaning, places, known, 0),
        )
        self._model_scores.append(_placed(scores.score, places, known, np.nan))

    def _hold(self, replayed: ReplayedWeek) -> None:
        """What the model said stays as it was for the accounts of the week, the others are gone; people still count."""
        places, known, was = replayed.places, replayed.known, self.situation
        standing = _resized(self._standing, known)
        last = self._model_scores[-1] if self._model_scores else np.empty(0)
        score, band = resized(last, known, np.nan)[places], standing.band[places]
        severity = severity_of(self.model, band)
        if self.model.escalation:  # the band alone does not say it
            is_models_own = resized(was.band, known, NO_BAND)[places] == band
            severity = np.where(is_models_own, resized(was.severity, known, NO_BAND)[places], severity)
        override = set_by_hand(self.model, replayed.frame)
        counts = overridden(self.arithmetic, Counting(score, band, severity), override)
        self.situation = Situation(
            _placed(counts.score, places, known, np.nan),
            _placed(counts.band, places, known, NO_BAND),
            _placed(counts.severity, places, known, NO_BAND),
        )
        self._standing = Standing(
            _placed(standing.band[places], places, known, NO_BAND),
            _placed(standing.weeks_in_band[places], places, known, 0),
            _placed(standing.leaning[places], places, known, 0),
        )
        self._model_scores.append(_placed(score, places, known, np.nan))

    def _score_before(self, replayed: ReplayedWeek) -> Floats:
        """Scores of the week that the escalation compares with, of the accounts in the week."""
        is_long_enough = len(self._model_scores) == self._model_scores.maxlen
        earlier = self._model_scores[0] if is_long_enough else np.empty(0)
        return resized(earlier, replayed.known, np.nan)[replayed.places]


class LastScores:
    """The score of each account that its next one is compared with: the latest within LOOK_BACK (`comparison`)."""

    def __init__(self) -> None:
        self._situation = Situation.unknown(0)
        self._week = np.empty(0, dtype=np.int64)

    def before(self, week: date, accounts: int) -> Situation:
        """What the accounts had before `week`; unknown where that is too long ago."""
        was = self._grown(accounts)
        is_old = self._week < (week - LOOK_BACK).toordinal()
        return Situation(
            np.where(is_old, np.nan, was.score),
            np.where(is_old, NO_BAND, was.band),
            np.where(is_old, NO_BAND, was.severity),
        )

    def remember(self, week: date, now: Situation) -> None:
        """Keep what the accounts have in `week`, where they have a score."""
        was, has_score = self._grown(len(now.score)), now.severity != NO_BAND
        self._week = np.where(has_score, week.toordinal(), self._week)
        self._situation = Situation(
            np.where(has_score, now.score, was.score),
            np.where(has_score, now.band, was.band),
            np.where(has_score, now.severity, was.severity),
        )

    def _grown(self, accounts: int) -> Situation:
        was = self._situation
        self._week = resized(self._week, accounts, 0)
        self._situation = Situation(
            resized(was.score, accounts, np.nan),
            resized(was.band, accounts, NO_BAND),
            resized(was.severity, accounts, NO_BAND),
        )
        return self._situation


def resized(values: NDArray[Number], accounts: int, empty: float) -> NDArray[Number]:
    """A copy with an element for each of `accounts` places; new places have `empty`."""
    grown = np.full(accounts, empty, dtype=values.dtype)
    grown[: len(values)] = values
    return grown


def _placed(values: NDArray[Number], places: Integers, accounts: int, empty: float) -> NDArray[Number]:
    """`values` of rows at their places, `empty` everywhere else."""
    everywhere = np.full(accounts, empty, dtype=values.dtype)
    everywhere[places] = values
    return everywhere


def _resized(standing: Standing, accounts: int) -> Standing:
    return Standing(
        resized(standing.band, accounts, NO_BAND),
        resized(standing.weeks_in_band, accounts, 0),
        resized(standing.leaning, accounts, 0),
    )
