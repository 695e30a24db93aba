"""Score past weeks again in memory, week after week, under any models; nothing is written.

Bands are those that `scores` would write: with steadiness, escalation, overrides, and scores that are held while a
week's events are stale. From week to week only the state of each account is carried, so memory does not grow with the
number of weeks.
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
from cs_pipeline.health.weekly import EffectiveScores, overridden, severity_of, weekly_scores
from cs_pipeline.history.account_weeks import account_weeks, overrides_of
from cs_pipeline.history.previous_scores import LOOK_BACK
from cs_pipeline.history.scope import Scope
from cs_pipeline.history.stale_weeks import is_stale, needs_events
from cs_pipeline.history.weeks import WEEK, require_marts
from cs_pipeline.warehouse.bulk import read_frame
from cs_pipeline.warehouse.connection import Warehouse

Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True)
class LoadedWeek:
    """The accounts of a week. An account has the same position in every week that it is in."""

    week: date
    frame: pd.DataFrame
    """Columns of `account_weeks`: account_id, those that selection rules test, metrics, overrides."""
    positions: Integers
    """(n,) position of each row in arrays with one element per account."""
    accounts: int
    """Positions given so far: the length of such arrays."""
    is_stale: bool
    """The week's events did not arrive."""


def load_weeks(warehouse: Warehouse, models: Sequence[ScoreModel], first: date, last: date) -> Iterator[LoadedWeek]:
    """Read the weeks `first` to `last` (Mondays) with all inputs of `models`, one query each.

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
            positions = np.asarray(ids.get_indexer(accounts), dtype=np.int64)
            yield LoadedWeek(week, frame, positions, len(ids), is_stale(connection, week))
            week += WEEK


class InMemoryScorer:
    """Score one model week after week; its first week knows nothing of the weeks before."""

    def __init__(self, model: ScoreModel) -> None:
        self.arithmetic = Arithmetic(model)
        self.effective = EffectiveScores.unknown(0)
        self._standing = Standing.nowhere(0)
        self._model_scores: deque[Floats] = deque(maxlen=model.escalation.over_weeks if model.escalation else 1)

    @property
    def model(self) -> ScoreModel:
        """The model that scores."""
        return self.arithmetic.model

    def advance(self, loaded: LoadedWeek, scores: Scores | None = None) -> EffectiveScores:
        """The scores that count after the next week, by position. `scores` are the model's, where already computed."""
        if loaded.is_stale and needs_events(self.model):
            self._hold(loaded)
        else:
            self._score(loaded, scores or self.arithmetic.score(loaded.frame))
        return self.effective

    def _score(self, loaded: LoadedWeek, scores: Scores) -> None:
        positions, accounts, model = loaded.positions, loaded.accounts, self.model
        before = _resized(self._standing, accounts)
        weekly = weekly_scores(
            self.arithmetic,
            scores,
            Standing(before.band[positions], before.weeks_in_band[positions], before.leaning[positions]),
            self._score_before(loaded) if model.escalation else None,
            overrides_of(model, loaded.frame),
        )
        standing = weekly.standing
        assert standing is not None  # asked for by giving it the standing before
        self.effective = EffectiveScores(
            _scattered(weekly.score, positions, accounts, np.nan),
            _scattered(weekly.band, positions, accounts, NO_BAND),
            _scattered(weekly.severity, positions, accounts, NO_BAND),
        )
        self._standing = Standing(
            _scattered(standing.band, positions, accounts, NO_BAND),
            _scattered(standing.weeks_in_band, positions, accounts, 0),
            _scattered(standing.leaning, positions, accounts, 0),
        )
        self._model_scores.append(_scattered(scores.score, positions, accounts, np.nan))

    def _hold(self, loaded: LoadedWeek) -> None:
        """Keep the model's last scores for the accounts of the week; overrides of the week still apply."""
        positions, accounts, was = loaded.positions, loaded.accounts, self.effective
        standing = _resized(self._standing, accounts)
        last = self._model_scores[-1] if self._model_scores else np.empty(0)
        score, band = resized(last, accounts, np.nan)[positions], standing.band[positions]
        severity = severity_of(self.model, band)
        if self.model.escalation:  # the band alone does not say it
            is_models_own = resized(was.band, accounts, NO_BAND)[positions] == band
            severity = np.where(is_models_own, resized(was.severity, accounts, NO_BAND)[positions], severity)
        override = overrides_of(self.model, loaded.frame)
        counts = overridden(self.arithmetic, EffectiveScores(score, band, severity), override)
        self.effective = EffectiveScores(
            _scattered(counts.score, positions, accounts, np.nan),
            _scattered(counts.band, positions, accounts, NO_BAND),
            _scattered(counts.severity, positions, accounts, NO_BAND),
        )
        self._standing = Standing(
            _scattered(standing.band[positions], positions, accounts, NO_BAND),
            _scattered(standing.weeks_in_band[positions], positions, accounts, 0),
            _scattered(standing.leaning[positions], positions, accounts, 0),
        )
        self._model_scores.append(_scattered(score, positions, accounts, np.nan))

    def _score_before(self, loaded: LoadedWeek) -> Floats:
        """Scores of the week that the escalation compares with, of the accounts in the week."""
        is_long_enough = len(self._model_scores) == self._model_scores.maxlen
        earlier = self._model_scores[0] if is_long_enough else np.empty(0)
        return resized(earlier, loaded.accounts, np.nan)[loaded.positions]


class LastScores:
    """The score of each account that its next one is compared with: the latest within LOOK_BACK (`previous_scores`)."""

    def __init__(self) -> None:
        self._effective = EffectiveScores.unknown(0)
        self._week = np.empty(0, dtype=np.int64)

    def before(self, week: date, accounts: int) -> EffectiveScores:
        """The scores before `week`, by position; unknown where they are older than LOOK_BACK."""
        was = self._grown(accounts)
        is_old = self._week < (week - LOOK_BACK).toordinal()
        return EffectiveScores(
            np.where(is_old, np.nan, was.score),
            np.where(is_old, NO_BAND, was.band),
            np.where(is_old, NO_BAND, was.severity),
        )

    def remember(self, week: date, now: EffectiveScores) -> None:
        """Store the scores of `week`, where there are any."""
        was, has_score = self._grown(len(now.score)), now.severity != NO_BAND
        self._week = np.where(has_score, week.toordinal(), self._week)
        self._effective = EffectiveScores(
            np.where(has_score, now.score, was.score),
            np.where(has_score, now.band, was.band),
            np.where(has_score, now.severity, was.severity),
        )

    def _grown(self, accounts: int) -> EffectiveScores:
        was = self._effective
        self._week = resized(self._week, accounts, 0)
        self._effective = EffectiveScores(
            resized(was.score, accounts, np.nan),
            resized(was.band, accounts, NO_BAND),
            resized(was.severity, accounts, NO_BAND),
        )
        return self._effective


def resized(values: NDArray[Number], accounts: int, empty: float) -> NDArray[Number]:
    """Copy `values` to an array of `accounts` elements; new positions hold `empty`."""
    grown = np.full(accounts, empty, dtype=values.dtype)
    grown[: len(values)] = values
    return grown


def _scattered(values: NDArray[Number], positions: Integers, accounts: int, empty: float) -> NDArray[Number]:
    """Spread the `values` of rows to their positions; all others hold `empty`."""
    everywhere = np.full(accounts, empty, dtype=values.dtype)
    everywhere[positions] = values
    return everywhere


def _resized(standing: Standing, accounts: int) -> Standing:
    return Standing(
        resized(standing.band, accounts, NO_BAND),
        resized(standing.weeks_in_band, accounts, 0),
        resized(standing.leaning, accounts, 0),
    )
