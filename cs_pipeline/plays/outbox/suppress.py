"""Drop or postpone actions that do not go out, or not yet, and drop what is stale.

Why is decided in `delivery`; here it is written, set by set, in the caller's transaction. What becomes of an action
that goes out is in `record`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.plays.outbox import missed
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.reasons import POSTPONED


@dataclass(frozen=True)
class Postponed:
    """Until when, and why. `keeps_fresh`: the time it becomes stale moves with it."""

    until: datetime
    reason: str
    keeps_fresh: bool = False


@dataclass(frozen=True)
class Stale:
    """What was dropped as stale: how many by reason, and of which enrolments."""

    reasons: Counter[str]
    enrolment_ids: list[int]


def drop(session: Session, status: Literal["suppressed", "failed"], reasons: Mapping[int, str]) -> None:
    """Take planned actions out of the outbox; `reasons` by action id."""
    if not reasons:
        return
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set status = %(status)s, reason = dropped.reason, told_at = null
            from unnest(%(action_ids)s::bigint[], %(reasons)s::text[]) as dropped (action_id, reason)
            where actions.action_id = dropped.action_id and actions.status = 'planned'
            """,
            {"status": status, "action_ids": list(reasons), "reasons": list(reasons.values())},
        )


def postpone(session: Session, waiting: Mapping[int, Postponed]) -> None:
    """Let planned actions wait; by action id."""
    if not waiting:
        return
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set
                reason = waiting.reason,
                expires_at = expires_at
                    + case when waiting.keeps_fresh then waiting.until - due_at else interval '0' end,
                due_at = waiting.until
            from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::boolean[])
                as waiting (action_id, until, reason, keeps_fresh)
            where actions.action_id = waiting.action_id and actions.status = 'planned'
            """,
            [
                list(waiting),
                [wait.until for wait in waiting.values()],
                [wait.reason for wait in waiting.values()],
                [wait.keeps_fresh for wait in waiting.values()],
            ],
        )


def accounts_with_stale(session: Session, now: datetime, limit: int) -> list[str]:
    """Accounts, at most `limit`, of which `drop_stale` would drop something."""
    with session.cursor() as cursor:
        cursor.execute(
            """
            select distinct account_id
            from cs.actions
            where status in ('planned', 'awaiting_approval') and expires_at <= %s
            limit %s
            """,
            [now, limit],
        )
        return [account_id for (account_id,) in cursor.fetchall()]


def drop_stale(session: Session, now: datetime) -> Stale:
    """Suppress what was not taken in time, rather than send it late; the reason says what it waited for.

    A mass that nobody was there to take is held for a person instead (`missed`).
    """
    change_in_order(session)
    missed.hold(session, now)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set
                reason = case
                    when status = 'awaiting_approval' and reason = 'missed' then reason
                    when status = 'awaiting_approval' then 'not_approved'
                    when reason = 'kill_switch' or reason = any(%(waited_for)s::text[]) then reason
                    else 'stale'
                end,
                status = 'suppressed'
            where status in ('planned', 'awaiting_approval') and expires_at <= %(now)s
            returning reason, enrolment_id
            """,
            {"now": now, "waited_for": list(POSTPONED)},
        )
        dropped = cursor.fetchall()
        enrolment_ids = {enrolment_id for _, enrolment_id in dropped if enrolment_id is not None}
        return Stale(Counter(reason for reason, _ in dropped), sorted(enrolment_ids))
