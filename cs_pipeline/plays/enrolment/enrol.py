"""Who enters a play: every trigger offered to a playbook ends as one row, enrolled or refused with a reason.

Which triggers are offered, and when, is in `triggers`; what then happens is in `planning`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from psycopg2.extensions import connection as Session
from psycopg2.extras import execute_values

from cs_pipeline.plays.enrolment import circuit_breaker, exits, planning
from cs_pipeline.plays.enrolment.circuit_breaker import Trip
from cs_pipeline.plays.enrolment.holdout import held_out
from cs_pipeline.plays.facts import query as facts
from cs_pipeline.plays.facts.catalogue import TRIGGER_FACTS
from cs_pipeline.plays.facts.query import AsOf
from cs_pipeline.plays.playbooks import versions
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.plays.reasons import OUTRANKED
from cs_pipeline.plays.triggers.dispatch import undecided
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse

LOCK = 7_420_003  # one enrolment at a time, whatever the playbook: families are shared


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

    AsOf twice, or from two processes at once, enrols nobody twice. Triggers of another kind are left alone.
    """
    as_of = AsOf(settings, now)
    with warehouse.session() as session:
        with session.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        offered = undecided(session, playbook, trigger_ids)
        if offered.empty:
            return EnrolmentSummary(playbook.playbook, 0, {}, 0, {})
        versions.remember(session, playbook)
        # Plays that are over today must not stand in the way.
        exits.end_plays(session, as_of, offered["account_id"].unique().tolist())
        cases = offered.rename(columns={"trigger_id": "case_id"}).assign(since=pd.Timestamp(now))
        today = facts.read(session, cases, as_of)
        offered["reason"] = refusals(session, playbook, offered, today, as_of)
        entering = offered[offered["reason"].isna()].join(today[["country", "timezone"]])
        accounts, triggers = entering["account_id"].tolist(), entering["trigger_id"].tolist()
        is_routine = playbook.trigger.kind == circuit_breaker.ROUTINE
        trip = None if is_routine else circuit_breaker.trip(session, playbook.playbook, accounts, triggers, as_of)
        if trip is not None:
            refused = offered[offered["reason"].notna()]
            _write(session, playbook, refused, now)
            return EnrolmentSummary(playbook.playbook, 0, Counter(refused["reason"]), 0, {}, trip)
        outranked = _outrank(session, playbook, entering, as_of)
        entering = entering.assign(enrolment_id=_write(session, playbook, offered, now).loc[entering.index])
        actions = planning.plan(session, playbook, entering, as_of)
    return EnrolmentSummary(
        playbook=playbook.playbook,
        enrolled=len(entering),
        refused=Counter(offered["reason"].dropna()),
        outranked=outranked,
        actions=Counter(actions["status"]),
    )


def refuse(session: Session, playbook: Playbook, trigger_ids: Sequence[int], reason: str, now: datetime) -> int:
    """Refuse whatever of the triggers is not decided yet, all for one reason of `reasons.REFUSED`; returns how many."""
    with session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
    offered = undecided(session, playbook, trigger_ids).assign(reason=reason)
    versions.remember(session, playbook)
    _write(session, playbook, offered, now)
    return len(offered)


def refusals(
    session: Session, playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, as_of: AsOf
) -> pd.Series:
    """Why each trigger is refused (the first reason that holds); missing where it is not. Writes nothing.

    `offered` has account_id, subject_id and facts (a dict of the trigger's own); `today` those of the account.
    """
    return refusals_in(playbook, offered, today, _state(session, playbook, offered, as_of))


def refusals_in(playbook: Playbook, offered: pd.DataFrame, today: pd.DataFrame, state: pd.DataFrame) -> pd.Series:
    """`refusals`, were `state` (is_stopped, is_too_soon, is_taken for each row) what our own tables say."""
    of_trigger = pd.DataFrame(offered["facts"].tolist(), index=offered.index, dtype="object")
    of_trigger = of_trigger.where(of_trigger.notna(), None)
    known = pd.concat([today, facts.typed(of_trigger, TRIGGER_FACTS[playbook.trigger.kind])], axis=1)
    reasons = pd.Series(pd.NA, index=offered.index, dtype="string")

    def refuse(is_so: pd.Series, reason: str) -> None:
        reasons[reasons.isna() & is_so] = reason

    refuse(~today[facts.KNOWN], "unknown_account")
    if playbook.trigger.condition is not None:
        refuse(~playbook.trigger.condition.holds(known), "trigger")
    if playbook.audience_condition is not None:
        refuse(~playbook.audience_condition.holds(today), "audience")
    reasons = reasons.fillna(exits.reasons_in(playbook, today))
    refuse(state["is_stopped"], "kill_switch")
    refuse(state["is_too_soon"], "reentry")
    refuse(state["is_taken"], "family")
    refuse(
        offered.loc[reasons.isna(), ["account_id", "subject_id"]].duplicated().reindex(offered.index, fill_value=False),
        "family",
    )
    refuse(held_out(playbook, offered["account_id"]), "hold_out")
    return reasons


def _state(session: Session, playbook: Playbook, offered: pd.DataFrame, as_of: AsOf) -> pd.DataFrame:
    """What our own tables say about each trigger: is_stopped, is_too_soon, is_taken."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select
                exists (
                    select 1
                    from cs.kill_switches
                    where
                        (scope = 'playbook' and name = %(playbook)s)
                        or (scope = 'account' and name = offered.account_id)
                ),
                exists (
                    select 1
                    from cs.enrolments
                    where
                        playbook = %(playbook)s
                        and account_id = offered.account_id
                        and (offered.subject_id is null or subject_id = offered.subject_id)
                        and status in ('completed', 'exited')
                        and ended_at > %(now)s - make_interval(days => %(reentry_after_days)s)
                ),
                exists (
                    select 1
                    from cs.enrolments
                    inner join cs.playbooks using (playbook, playbook_version)
                    where
                        enrolments.account_id = offered.account_id
                        and enrolments.family = %(family)s
                        and enrolments.status = 'active'
                        and (playbooks.definition ->> 'priority')::integer >= %(priority)s
                        -- Plays about two subscriptions of an account do not stand in each other's way.
                        and coalesce(enrolments.subscription_id = offered.subject_id, true)
                )
            from unnest(%(account_ids)s::text[], %(subject_ids)s::text[])
                with ordinality as offered (account_id, subject_id, position)
            order by position
            """,
            {
                "playbook": playbook.playbook,
                "family": playbook.family,
                "priority": playbook.priority,
                "reentry_after_days": playbook.reentry_after_days,
                "now": as_of.now,
                "account_ids": offered["account_id"].tolist(),
                "subject_ids": offered["subject_id"].tolist(),
            },
        )
        columns = ["is_stopped", "is_too_soon", "is_taken"]
        return pd.DataFrame(cursor.fetchall(), columns=columns, index=offered.index, dtype="bool")


def _outrank(session: Session, playbook: Playbook, entering: pd.DataFrame, as_of: AsOf) -> int:
    """End the plays of the family that the accounts are still in: all of a lower priority. Returns how many."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select distinct enrolments.enrolment_id
            from cs.enrolments
            inner join unnest(%s::text[], %s::text[]) as entering (account_id, subject_id)
                on
                    enrolments.account_id = entering.account_id
                    and coalesce(enrolments.subscription_id = entering.subject_id, true)
            where enrolments.family = %s and enrolments.status = 'active'
            """,
            [entering["account_id"].tolist(), entering["subject_id"].tolist(), playbook.family],
        )
        enrolments = [enrolment_id for (enrolment_id,) in cursor.fetchall()]
    exits.end(session, pd.Series(OUTRANKED, index=enrolments, dtype="object"), as_of)
    return len(enrolments)


def _write(session: Session, playbook: Playbook, offered: pd.DataFrame, now: datetime) -> pd.Series:
    """Write every decision; returns the enrolment ids on the index of `offered`."""
    if offered.empty:
        return pd.Series(dtype="object")
    rows = [
        (
            playbook.playbook,
            playbook.version,
            playbook.family,
            "active" if reason is pd.NA else "refused",
            None if reason is pd.NA else reason,
            now,
            None if reason is pd.NA else now,
            trigger_id,
        )
        for trigger_id, reason in zip(offered["trigger_id"], offered["reason"], strict=True)
    ]
    with session.cursor() as cursor:
        written = execute_values(
            cursor,
            """
            insert into cs.enrolments (
                playbook, playbook_version, family, account_id, trigger_id, subject_id, subscription_id, anchor_on,
                status, reason, enrolled_at, ended_at
            )
            select
                decided.playbook, decided.playbook_version, decided.family, triggers.account_id,
                triggers.trigger_id, triggers.subject_id,
                case when triggers.kind = 'renewal_window' then triggers.subject_id end,
                triggers.anchor_on,
                decided.status, decided.reason, decided.enrolled_at, decided.ended_at::timestamptz
            from (values %s) as decided (
                playbook, playbook_version, family, status, reason, enrolled_at, ended_at, trigger_id
            )
            inner join cs.triggers using (trigger_id)
            returning trigger_id, enrolment_id
            """,
            rows,
            template="(%s, %s, %s, %s, %s::text, %s::timestamptz, %s::timestamptz, %s::bigint)",
            page_size=10_000,
            fetch=True,
        )
    ids = dict(written)
    return offered["trigger_id"].map(ids)
