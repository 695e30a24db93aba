"""Enrol accounts in plays: every trigger offered to a playbook ends as one row, enrolled or refused with a reason.

Which triggers are offered, and when, is in `triggers.dispatch`; what then happens is in `planning`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.plays.enrolment import circuit_breaker, exits, planning
from cs_pipeline.plays.enrolment.circuit_breaker import Trip
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.plays.enrolment.play_store import PlayStore
from cs_pipeline.plays.enrolment.postgres_store import PostgresStore
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.catalogue import TRIGGER_FACTS
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks import versions
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import HOLD_OUT, KILL_SWITCH, OUTRANKED
from cs_pipeline.plays.triggers.dispatch import undecided
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.advisory_locks import AdvisoryLock, take_lock
from cs_pipeline.warehouse.connection import Warehouse


@dataclass(frozen=True)
class EnrolmentSummary:
    """What came of one batch of triggers. `refused` counts by reason, `actions` by status.

    `trip`: the batch was too large, so that nothing of it was decided.
    """

    playbook: str
    enrolled: int
    refused: Mapping[str, int]
    outranked: int
    actions: Mapping[str, int]
    trip: Trip | None = None


def enrol(
    warehouse: Warehouse, playbook: Playbook, trigger_ids: Sequence[int], settings: Settings, now: datetime
) -> EnrolmentSummary:
    """Decide on the triggers that are not decided yet, and plan the actions of who enters, in one transaction.

    Asked twice, or from two processes at once, it enrols nobody twice. Triggers of another kind are left alone.
    """
    as_of = AsOf(settings, now)
    with warehouse.session() as session:
        with session.cursor() as cursor:
            take_lock(cursor, AdvisoryLock.ENROLMENT)
        offered = undecided(session, playbook, trigger_ids)
        if offered.empty:
            return EnrolmentSummary(playbook.playbook, 0, {}, 0, {})
        versions.remember(session, playbook)
        # Plays that are over today must not stand in the way.
        exits.end_plays(session, as_of, offered["account_id"].unique().tolist())
        cases = offered.assign(case_id=offered["trigger_id"], since=pd.Timestamp(now))
        today = facts.read(session, cases, as_of)
        offered["reason"] = refusals(session, playbook, offered, today, as_of)
        store = PostgresStore(session)
        entering = offered[offered["reason"].isna()]
        accounts, triggers = entering["account_id"].tolist(), entering["trigger_id"].tolist()
        is_routine = playbook.trigger.kind == circuit_breaker.ROUTINE
        trip = None if is_routine else circuit_breaker.trip(session, playbook.playbook, accounts, triggers, as_of)
        if trip is not None:
            refused = offered[offered["reason"].notna()]
            store.enrol(playbook, refused, now)
            return EnrolmentSummary(playbook.playbook, 0, Counter(refused["reason"]), 0, {}, trip)
        outranked, actions = enter(session, store, playbook, offered.assign(decided_at=now), today, as_of)
    return EnrolmentSummary(
        playbook=playbook.playbook,
        enrolled=len(entering),
        refused=Counter(offered["reason"].dropna()),
        outranked=outranked,
        actions=Counter(actions["status"]),
    )


def enter(
    session: Session, store: PlayStore, playbook: Playbook, decided: pd.DataFrame, today: pd.DataFrame, as_of: AsOf
) -> tuple[int, pd.DataFrame]:
    """Keep every decision, end the plays that who enters leaves for this one, and plan the actions.

    `decided` has the columns of `dispatch.UNDECIDED_COLUMNS`, reason (missing for who enters), and decided_at; `today`
    the facts of the accounts. Returns how many plays of a lower priority ended, and the actions that were planned.
    """
    decided = decided.join(today[["country", "timezone", "owner_email", "severity"]])
    entering = decided[decided["reason"].isna()]
    outranked = store.in_family(playbook, entering)
    store.end(pd.Series(OUTRANKED, index=outranked, dtype="object"), as_of.now)
    enrolment_ids = store.enrol(playbook, decided, as_of.now)
    entering = entering.assign(enrolment_id=enrolment_ids.reindex(entering.index))
    return len(outranked), planning.plan(session, store, playbook, entering, as_of)


def refuse(session: Session, playbook: Playbook, trigger_ids: Sequence[int], reason: str, now: datetime) -> int:
    """Refuse whatever of the triggers is not decided yet, all for one reason of `reasons.REFUSED`; returns how many."""
    with session.cursor() as cursor:
        take_lock(cursor, AdvisoryLock.ENROLMENT)
    offered = undecided(session, playbook, trigger_ids).assign(reason=reason)
    versions.remember(session, playbook)
    PostgresStore(session).enrol(playbook, offered, now)
    return len(offered)


def refusals(
    session: Session, playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, as_of: AsOf
) -> pd.Series:
    """Why each trigger is refused (the first reason that holds); missing where it is not. Writes nothing.

    `offered` has account_id, subject_id, user_id and facts (a dict of the trigger's own); `today` those of the account.
    """
    return refusals_in(playbook, offered, today, PostgresStore(session).state(playbook, offered, as_of.now))


def refusals_in(playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, state: pd.DataFrame) -> pd.Series:
    """`refusals`, were `state` (`play_store.STATE_COLUMNS` for each row) what is known of the triggers."""
    of_trigger = pd.DataFrame(offered["facts"].tolist(), index=offered.index, dtype="object")
    of_trigger = of_trigger.where(of_trigger.notna(), None)
    known = pd.concat([today, facts.typed(of_trigger, TRIGGER_FACTS[playbook.trigger.kind])], axis=1)
    reasons = pd.Series(pd.NA, index=offered.index, dtype="string")

    def give_reason(is_so: pd.Series, reason: str) -> None:
        reasons[reasons.isna() & is_so] = reason

    give_reason(~today[facts.KNOWN], "unknown_account")
    if playbook.trigger.condition is not None:
        give_reason(~playbook.trigger.condition.holds(known), "trigger")
    if playbook.audience_condition is not None:
        give_reason(~playbook.audience_condition.holds(today), "audience")
    reasons = reasons.fillna(exits.reasons_in(playbook, today))
    give_reason(state["is_stopped"], KILL_SWITCH)
    give_reason(state["is_too_soon"], "reentry")
    give_reason(state["is_taken"], "family")
    again = offered.loc[reasons.isna(), ["account_id", "subject_id", "user_id"]].duplicated()
    give_reason(again.reindex(offered.index, fill_value=False), "family")
    give_reason(held_out(playbook, offered["account_id"]), HOLD_OUT)
    return reasons
