"""Simulate plays on the past: who would have entered, what would have been taken, and why not. Nothing is written.

Week by week, all accounts at once, in the order of the real thing: plays end, triggers are offered, what is due is
judged. The rules are those that enrol, plan and judge real plays, with the facts of the week; what our own tables would
say by then is kept in memory (`memory_store`). What became of the accounts is told by `outcomes`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.enrolment import exits
from cs_pipeline.plays.enrolment.enrol import enter, refusals_in
from cs_pipeline.plays.facts.point_in_time import read_as_of_week
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.simulation.due_actions import take_due
from cs_pipeline.plays.simulation.forecast import decided_at
from cs_pipeline.plays.simulation.memory_store import MemoryStore
from cs_pipeline.plays.triggers.dispatch import is_offered, offer_order
from cs_pipeline.plays.triggers.point_in_time import PastTriggers
from cs_pipeline.settings import Settings

SAVE = "save"


@dataclass
class Simulation:
    """What a simulation came to. `refused` counts by week, playbook and reason.

    `enrolments` and `actions` are those of the `MemoryStore`; an action that is still planned is due after the last
    week.
    """

    playbooks: Mapping[str, Playbook]
    first: date
    last: date
    enrolments: pd.DataFrame
    actions: pd.DataFrame
    refused: Counter[tuple[date, str, str]]


def simulate(
    session: Session,
    playbooks: Mapping[str, Playbook],
    triggers: PastTriggers,
    settings: Settings,
    first: date,
    last: date,
    on_week: Callable[[date], None] = lambda _: None,
) -> Simulation:
    """Play the weeks from `first` to `last` (Mondays). Nobody is in a play when the first begins.

    Raises UserError when the marts are not built.
    """
    engine = _Engine(session, offer_order(playbooks.values()), triggers, settings)
    week = first
    while week <= last:
        engine.play(week)
        on_week(week)
        week += WEEK
    return Simulation(playbooks, first, last, engine.store.enrolments, engine.store.actions, engine.store.refused)


@dataclass
class _Engine:
    session: Session
    playbooks: list[Playbook]
    triggers: PastTriggers
    settings: Settings
    store: MemoryStore = field(default_factory=MemoryStore)

    def play(self, week: date) -> None:
        """The week's Monday and the seven days after it."""
        self.store.week = week
        as_of = AsOf(self.settings, decided_at(week), sees_ahead=False)
        known = self._end(week, as_of)
        known = pd.concat([known, *self._offer(week, as_of)])
        take_due(self.session, self.store, self._by_name, known, as_of)
        self.store.complete(as_of.now)

    @property
    def _by_name(self) -> dict[str, Playbook]:
        return {playbook.playbook: playbook for playbook in self.playbooks}

    def _end(self, week: date, as_of: AsOf) -> pd.DataFrame:
        """End plays whose exits hold; returns the facts of those that go on, by enrolment."""
        active = self.store.active
        if active.empty:
            return pd.DataFrame()
        cases = active.assign(case_id=active.index, trigger_id=None, since=active["enrolled_at"])
        known = self._with_save_plays(read_as_of_week(self.session, cases, week, as_of), cases["account_id"])
        by_name = self._by_name
        reasons = exits.reasons_of_plays([by_name[name] for name in active["playbook"]], known)
        self.store.end(reasons.dropna(), as_of.now)
        return known[reasons.isna()]

    def _offer(self, week: date, as_of: AsOf) -> list[pd.DataFrame]:
        """Offer the week's triggers to every playbook; returns the facts of who entered, by enrolment."""

        def complete(today: pd.DataFrame) -> pd.DataFrame:
            return self._with_save_plays(today, today.index.to_series())

        opened = self.triggers.of_week(self.session, week, as_of, complete)
        if opened.empty:
            return []
        opened["subject_id"] = opened["subject_id"].where(opened["kind"] == "renewal_window", None)
        opened["user_id"] = None  # only an alert is about a user, and alerts have no past
        cases = opened.assign(case_id=range(len(opened)), trigger_id=None, since=as_of.now)
        today = read_as_of_week(self.session, cases, week, as_of)
        entered = []
        for playbook in self.playbooks:
            rows = opened.index[is_offered(playbook, opened)]
            if not rows.empty:
                entered.append(self._decide(playbook, opened.loc[rows], today.loc[rows], as_of))
        return entered

    def _decide(self, playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
        """Enrol whom nothing refuses; returns their facts, by enrolment."""
        known = self._with_save_plays(today, offered["account_id"])
        reasons = refusals_in(playbook, offered, known, self.store.state(playbook, offered, as_of.now))
        occurred_at = pd.to_datetime(offered["occurred_at"], utc=True)
        # A cause of the days before this Monday was decided on when it came.
        decided_on = occurred_at.where(occurred_at < as_of.now, pd.Timestamp(as_of.now))
        decided = offered.assign(reason=reasons, decided_at=decided_on)
        before = len(self.store.enrolments)
        enter(self.session, self.store, playbook, decided, known, as_of)
        return known[reasons.isna()].set_axis(self.store.enrolments.index[before:])

    def _with_save_plays(self, today: pd.DataFrame, account_ids: pd.Series) -> pd.DataFrame:
        active = self.store.active
        in_save = set(active.loc[active["family"] == SAVE, "account_id"])
        is_in = pd.Series([account_id in in_save for account_id in account_ids], index=today.index, dtype="boolean")
        return today.assign(has_open_save_play=is_in)
