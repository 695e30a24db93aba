"""Plays simulated on the past: who would have entered, what would have been taken, and why not. Nothing is written.

Week by week, all accounts at once, in the order of the real thing: plays end, triggers are offered, what is due is
judged. Asked are the functions that enrol, plan and judge, with the facts of the week; what our own tables would say
by then is kept in memory (`stage`). What came of the accounts is in `simulation_outcomes`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.history.weeks import WEEK
from cs_pipeline.plays.delivery.eligibility import reasons_with
from cs_pipeline.plays.enrolment import exits, planning, recipients
from cs_pipeline.plays.enrolment.enrol import refusals_in
from cs_pipeline.plays.facts.point_in_time import read_as_of_week
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import OUTRANKED
from cs_pipeline.plays.simulation.forecast import decided_at
from cs_pipeline.plays.simulation.memory_store import Stage
from cs_pipeline.plays.simulation.weekly_caps import beyond_caps
from cs_pipeline.plays.triggers.dispatch import is_offered, offer_order
from cs_pipeline.plays.triggers.point_in_time import PastTriggers
from cs_pipeline.settings import Settings

SAVE = "save"


@dataclass
class Simulation:
    """What a simulation came to. `refused` counts by week, playbook and reason.

    `enrolments` and `actions` are those of `stage`; an action that is still planned is due after the last week.
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
    return Simulation(playbooks, first, last, engine.stage.enrolments, engine.stage.actions, engine.refused)


@dataclass
class _Engine:
    session: Session
    playbooks: list[Playbook]
    triggers: PastTriggers
    settings: Settings
    stage: Stage = field(default_factory=Stage)
    refused: Counter[tuple[date, str, str]] = field(default_factory=Counter)

    def play(self, week: date) -> None:
        """The week's Monday and the seven days after it."""
        as_of = AsOf(self.settings, decided_at(week), sees_ahead=False)
        known = self._end(week, as_of)
        known = pd.concat([known, *self._offer(week, as_of)])
        self._take(week, as_of, known)
        self.stage.complete(as_of.now)

    def _end(self, week: date, as_of: AsOf) -> pd.DataFrame:
        """End plays whose exits hold; returns the facts of those that go on, by enrolment."""
        active = self.stage.active
        if active.empty:
            return pd.DataFrame()
        cases = active.assign(case_id=active.index, since=active["enrolled_at"])
        known = self._with_save_plays(read_as_of_week(self.session, cases, week, as_of), cases["account_id"])
        reasons = pd.Series(pd.NA, index=active.index, dtype="string")
        for playbook in self.playbooks:
            rows = active.index[active["playbook"] == playbook.playbook]
            reasons.loc[rows] = exits.reasons_in(playbook, known.loc[rows])
        self.stage.end(reasons.dropna(), as_of.now)
        return known[reasons.isna()]

    def _offer(self, week: date, as_of: AsOf) -> list[pd.DataFrame]:
        """Offer the week's triggers to every playbook; returns the facts of who entered, by enrolment."""

        def complete(today: pd.DataFrame) -> pd.DataFrame:
            return self._with_save_plays(today, today.index.to_series())

        opened = self.triggers.of_week(self.session, week, as_of, complete)
        if opened.empty:
            return []
        opened["subject_id"] = opened["subject_id"].where(opened["kind"] == "renewal_window", None)
        cases = opened.assign(case_id=range(len(opened)), since=as_of.now)
        today = read_as_of_week(self.session, cases, week, as_of)
        entered = []
        for playbook in self.playbooks:
            rows = opened.index[is_offered(playbook, opened)]
            if not rows.empty:
                entered.append(self._decide(playbook, opened.loc[rows], today.loc[rows], week, as_of))
        return entered

    def _decide(
        self, playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, week: date, as_of: AsOf
    ) -> pd.DataFrame:
        known = self._with_save_plays(today, offered["account_id"])
        reasons = refusals_in(playbook, offered, known, self.stage.state(playbook, offered, as_of.now))
        self.refused.update((week, playbook.playbook, str(reason)) for reason in reasons.dropna())
        entering = offered[reasons.isna()]
        if entering.empty:
            return pd.DataFrame()
        self.stage.end(self.stage.others_in_family(playbook, entering, OUTRANKED), as_of.now)
        of_entering = known.loc[entering.index]
        enrolments = self.stage.enrol(
            playbook,
            entering.assign(owner=of_entering["owner_email"], severity=of_entering["severity"], week=week),
            as_of.now,
        )
        self.stage.plan(self._actions(playbook, enrolments, entering, of_entering, as_of))
        return of_entering.set_axis(enrolments.index)

    def _actions(
        self, playbook: Playbook, enrolments: pd.DataFrame, entering: pd.DataFrame, known: pd.DataFrame, as_of: AsOf
    ) -> pd.DataFrame:
        """The steps of new enrolments, as `planning` plans them; what is too late to be taken is stale already.

        A cause of the days before this Monday was decided on when it came, so its steps are not late.
        """
        rows = enrolments.reset_index(names="enrolment_id").assign(
            occurred_at=entering["occurred_at"].tolist(),
            country=known["country"].tolist(),
            timezone=known["timezone"].tolist(),
        )
        rows = rows.merge(pd.DataFrame({"definition": list(playbook.steps)}, dtype="object"), how="cross")
        for column, attribute in (("step", "step"), ("channel", "channel"), ("role", "to"), ("intent", "intent")):
            rows[column] = [getattr(step, attribute) for step in rows["definition"]]
        due = planning.due_moments(playbook, rows)
        expires = due + timedelta(days=playbook.stale_after_days)
        now, occurred = pd.Timestamp(as_of.now), pd.to_datetime(rows["occurred_at"], utc=True)
        decided = occurred.where(occurred < now, now)
        soonest = now + timedelta(days=playbook.stale_after_days)
        status = pd.Series("planned", index=rows.index, dtype="object")
        reason = pd.Series(None, index=rows.index, dtype="object")
        has_nobody = recipients.resolve(self.session, rows, as_of)["recipient"].isna()
        status[has_nobody], reason[has_nobody] = "failed", "no_recipient"
        is_late = expires <= decided
        status[is_late], reason[is_late] = "suppressed", "stale"
        return rows.assign(
            due_at=due.where(due > now, now),
            expires_at=expires.where(expires > soonest, soonest),
            needs_approval=[step.waits_for_approval for step in rows["definition"]],
            status=status,
            reason=reason,
        )

    def _take(self, week: date, as_of: AsOf, known: pd.DataFrame) -> None:
        """Judge what falls due before the next Monday, with the facts of this one."""
        due = self.stage.due(as_of.now + WEEK)
        if due.empty:
            return
        today = known.loc[due["enrolment_id"]].set_axis(due.index)
        current, reasons = reasons_with(self.session, due, due["definition"], today, as_of)
        reasons = reasons.mask(reasons.isna() & current["recipient"].isna(), "no_recipient")
        waits = beyond_caps(current[reasons.isna()], self.settings)
        is_stale = due.loc[waits, "expires_at"] <= as_of.now + WEEK
        reasons[waits[is_stale]] = "frequency_cap"
        self.stage.record(current, reasons, waits[~is_stale], week)

    def _with_save_plays(self, today: pd.DataFrame, account_ids: pd.Series) -> pd.DataFrame:
        active = self.stage.active
        in_save = set(active.loc[active["family"] == SAVE, "account_id"])
        is_in = pd.Series([account_id in in_save for account_id in account_ids], index=today.index, dtype="boolean")
        return today.assign(has_open_save_play=is_in)
