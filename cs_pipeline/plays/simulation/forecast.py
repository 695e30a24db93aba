"""Forecast the messages that plays send under a score model: past weeks simulated in memory. Nothing is written.

Each change of severity is offered to the playbooks with the facts of its week. One play of a family runs at a time, and
an account may enter again when the playbook says so. What is counted are the steps of the plays that start, as if none
ended early: the most that there can be.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psycopg2.extensions import connection as Session

from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.health.attribution import CAUSES, FIRST_SCORE, STEADINESS, UNCHANGED, EarlierScores, attribute
from cs_pipeline.health.scoring import Floats, Integers
from cs_pipeline.health.specification import ScoreModel
from cs_pipeline.health.steadiness import NO_BAND
from cs_pipeline.health.weekly import EffectiveScores
from cs_pipeline.history.in_memory_scoring import InMemoryScorer, LastScores, LoadedWeek, resized
from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.catalogue import TRIGGER_FACTS
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.what_if import today_of, with_scores
from cs_pipeline.settings import Settings

Booleans = NDArray[np.bool]

AT = time(6)
"""Hour (UTC) of the Monday on which a week's changes are decided on."""


def decided_at(week: date) -> datetime:
    """The moment at which plays are decided on for the changes of a week."""
    return datetime.combine(week + WEEK, AT, UTC)


class Forecast:
    """A model that is followed from week to week, and the plays that its changes would have started."""

    def __init__(self, model: ScoreModel, playbooks: Sequence[Playbook]) -> None:
        """`playbooks` are those that a change of score may start, in the order in which they are offered one."""
        self.scorer = InMemoryScorer(model)
        self.coverage = np.empty(0)
        self.changes = 0
        """Changes of severity in the weeks that counted."""
        self.starts = {playbook.playbook: 0 for playbook in playbooks}
        self.mails = {playbook.playbook: 0 for playbook in playbooks}
        self.tasks = {playbook.playbook: 0 for playbook in playbooks}
        """Steps that are no e-mail: posts and tasks for our own people."""
        self._playbooks = playbooks
        self._last = LastScores()
        self._values = np.empty((0, len(model.metrics)))
        self._ends_on = {playbook.playbook: np.empty(0, dtype=np.int64) for playbook in playbooks}

    def follow(self, loaded: LoadedWeek) -> pd.DataFrame:
        """Go on by a week; returns its changes of severity: position, account_id, and the facts of a trigger."""
        arithmetic, known = self.scorer.arithmetic, loaded.accounts
        scores = arithmetic.score(loaded.frame)
        now = self.scorer.advance(loaded, scores)
        before = self._last.before(loaded.week, known)
        was_healthy = np.where(before.severity == NO_BAND, 0, before.severity)
        is_changed = (now.severity != NO_BAND) & (now.severity != was_healthy)
        rows = np.flatnonzero(is_changed[loaded.positions])
        values = np.full((known, len(arithmetic.model.metrics)), np.nan)
        values[: len(self._values)] = self._values
        positions = loaded.positions[rows]
        causes = self._causes(values[positions], scores.metric_values[rows], before.severity[positions] == NO_BAND)
        changed = changes_between(self.scorer.model, before, self.scorer.model, now, positions, causes)
        has_score = now.severity[loaded.positions] != NO_BAND
        values[loaded.positions[has_score]] = scores.metric_values[has_score]
        self._values = values
        self._last.remember(loaded.week, now)
        self.coverage = np.full(known, np.nan)
        self.coverage[loaded.positions] = scores.coverage
        return changed.assign(account_id=loaded.frame["account_id"].to_numpy(dtype=object)[rows])

    def play(self, session: Session, settings: Settings, week: date, changes: pd.DataFrame) -> None:
        """Offer `changes` (rows of what `follow` gave) to the playbooks, and count what starts."""
        self.changes += len(changes)
        for name, days in self._ends_on.items():
            self._ends_on[name] = resized(days, len(self.coverage), 0)
        if changes.empty:
            return
        as_of = AsOf(settings, decided_at(week), sees_ahead=False)
        accounts, today = today_of(session, changes["account_id"].tolist(), as_of)
        today = with_scores(today, accounts, self.scores(changes["position"].to_numpy(), accounts))
        of_trigger = facts.typed(changes.astype("object").set_axis(today.index), TRIGGER_FACTS["score_change"])
        known = pd.concat([today, of_trigger], axis=1)
        for playbook in self._playbooks:
            fits = _fits(playbook, known, today)
            entering = fits & self._may_enter(playbook, changes["position"].to_numpy(), as_of.now.date())
            self._enter(playbook, changes["position"].to_numpy()[entering], as_of.now.date())
            self._count(playbook, today[entering])

    def scores(self, positions: Integers, account_ids: pd.Series) -> pd.DataFrame:
        """The facts of the newest week's scores at `positions`, by account_id."""
        now = self.scorer.effective
        names = np.array([*(band.band for band in self.scorer.model.bands), None], dtype=object)
        has_score = now.severity[positions] != NO_BAND
        return pd.DataFrame(
            {
                "score": now.score[positions],
                "band": names[now.band[positions]],
                "severity": np.where(has_score, now.severity[positions], np.nan),
                "coverage": self.coverage[positions],
            },
            index=pd.Index(account_ids, dtype="object"),
        )

    def _causes(self, before: Floats, after: Floats, is_first: Booleans) -> NDArray[np.object_]:
        names = self.scorer.model.metric_names
        drivers = attribute(self.scorer.arithmetic, EarlierScores(names, before, before), after, same_version=True)
        causes = drivers.main_cause()
        causes = np.where(causes == UNCHANGED, STEADINESS, causes)
        return np.array(CAUSES, dtype=object)[np.where(is_first, FIRST_SCORE, causes)]

    def _may_enter(self, playbook: Playbook, positions: Integers, day: date) -> Booleans:
        now = day.toordinal()
        own = self._ends_on[playbook.playbook][positions]
        may = (own == 0) | (own + playbook.reentry_after_days <= now)
        for other in self._playbooks:
            if other.family == playbook.family and other.priority >= playbook.priority:
                may &= self._ends_on[other.playbook][positions] <= now
        return may

    def _enter(self, playbook: Playbook, positions: Integers, day: date) -> None:
        now = day.toordinal()
        for other in self._playbooks:
            if other.family == playbook.family and other.priority < playbook.priority:
                days = self._ends_on[other.playbook]
                days[positions] = np.minimum(days[positions], now)
        self._ends_on[playbook.playbook][positions] = now + max(step.day for step in playbook.steps)

    def _count(self, playbook: Playbook, today: pd.DataFrame) -> None:
        self.starts[playbook.playbook] += len(today)
        for step in playbook.steps:
            taken = len(today) if step.condition is None else int(step.condition.holds(today).sum())
            (self.mails if step.channel in CUSTOMER_CHANNELS else self.tasks)[playbook.playbook] += taken


def changes_between(
    old_model: ScoreModel,
    old: EffectiveScores,
    new_model: ScoreModel,
    new: EffectiveScores,
    positions: Integers,
    causes: NDArray[np.object_],
) -> pd.DataFrame:
    """Columns position and those of a trigger of a score change: from `old` to `new`, at `positions`."""
    before, after = (
        np.array([*(band.band for band in model.bands), None], dtype=object) for model in (old_model, new_model)
    )  # the last is for NO_BAND, which is -1
    had, has = old.severity[positions] != NO_BAND, new.severity[positions] != NO_BAND
    return pd.DataFrame(
        {
            "position": positions,
            "from_score": old.score[positions],
            "to_score": new.score[positions],
            "delta": new.score[positions] - old.score[positions],
            "from_band": before[old.band[positions]],
            "to_band": after[new.band[positions]],
            "from_severity": np.where(had, old.severity[positions], np.nan),
            "to_severity": np.where(has, new.severity[positions], np.nan),
            "cause": causes,
        }
    )


def _fits(playbook: Playbook, known: pd.DataFrame, today: pd.DataFrame) -> Booleans:
    """Accounts that the trigger and the audience are for, and whose play would not end at once."""
    fits = today[facts.KNOWN] & exits.reasons_in(playbook, today).isna()
    if playbook.trigger.condition is not None:
        fits &= playbook.trigger.condition.holds(known)
    if playbook.audience_condition is not None:
        fits &= playbook.audience_condition.holds(today)
    return fits.to_numpy(dtype=bool)
