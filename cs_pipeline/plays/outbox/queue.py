"""Read actions as they wait in the outbox: what is due now, what nobody knows the end of.

Reads only; how an action moves on is in `claim`, `record` and `suppress`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import pandas as pd
from psycopg2.extensions import connection as Session

from cs_pipeline.history.slices import Slice
from cs_pipeline.plays.outbox.channel_pauses import PAUSED
from cs_pipeline.plays.outbox.kill_switch import STOPPED

LEASE = timedelta(minutes=2)
"""How long a claim is its worker's own. `channels.fence` sees to it that the worker can do nothing afterwards."""

LOOK_AFTER = LEASE + timedelta(minutes=1)
"""From the claim on: by then the worker can no longer act, and what it wrote has arrived or was given up."""

LOOK_FOR = timedelta(days=1)


@dataclass(frozen=True)
class PlannedAction:
    """An action as a renderer and a channel need to know it. Addresses stay out of its repr.

    `delivery` is where it was about to go when it was last claimed: 'live', 'capture', or None before that. `attempts`
    counts its claims so far. One of a notice to operations is of no enrolment.
    """

    action_id: int
    action_key: str
    enrolment_id: int | None
    playbook: str
    playbook_version: str
    family: str
    step: str
    account_id: str
    channel: str
    role: str
    intent: str
    due_at: datetime
    delivery: str | None
    attempts: int
    recipient: str | None = field(repr=False)
    recipient_user_id: str | None = field(repr=False)


COLUMNS = tuple(column.name for column in fields(PlannedAction))
CASE_COLUMNS = ("is_active", "subject_id", "user_id", "trigger_id", "anchor_on", "enrolled_at", "trigger_facts")

_SELECT = """
select
    actions.action_id,
    actions.action_key,
    actions.enrolment_id,
    actions.playbook,
    enrolments.playbook_version,
    enrolments.family,
    actions.step,
    actions.account_id,
    actions.channel,
    actions.role,
    actions.intent,
    actions.due_at,
    actions.delivery,
    actions.attempts,
    actions.recipient,
    actions.recipient_user_id,
    enrolments.status = 'active' as is_active,
    case when triggers.kind = 'renewal_window' then enrolments.subject_id end as subject_id,
    enrolments.user_id,
    enrolments.trigger_id,
    enrolments.anchor_on,
    enrolments.enrolled_at,
    triggers.facts as trigger_facts
from cs.actions
inner join cs.enrolments using (enrolment_id)
inner join cs.triggers using (trigger_id)
"""

MAY_GO = f"""
    actions.status = 'planned'
    and actions.due_at <= %(now)s
    and actions.expires_at > %(now)s
    and (enrolments.status = 'active' or actions.resent_at is not null or actions.notice_id is not null)
    and not {STOPPED}
    and not {PAUSED}
"""
"""SQL: whether an action (left joined with its enrolment) may be taken at %(now)s, as far as the outbox knows."""

MAY_LOOK_UP = """
    actions.status = 'uncertain'
    and (
        select max(attempts.claimed_at)
        from cs.action_attempts as attempts
        where attempts.action_id = actions.action_id
    ) between %(first)s and %(last)s
"""
"""SQL: whether an action is uncertain and can be looked up, with the parameters of `look_up_period`."""


def look_up_period(now: datetime) -> dict[str, object]:
    """When what can be looked up at `now` was claimed: from LOOK_AFTER to LOOK_FOR ago; older waits for a person."""
    return {"first": now - LOOK_FOR, "last": now - LOOK_AFTER}


def due(
    session: Session, channels: Sequence[str], limit: int, now: datetime, part: Slice | None = None
) -> pd.DataFrame:
    """The first `limit` actions that are due on `channels`, oldest first; columns COLUMNS and CASE_COLUMNS.

    Of the accounts of a slice, where it is given.
    """
    in_slice = part.condition("actions.account_id") if part else "true"
    order = "order by actions.due_at, actions.action_id limit %(limit)s"
    sql = f"{_SELECT} where {MAY_GO} and actions.channel = any(%(channels)s) and {in_slice} {order}"
    return _frame(session, sql, {"now": now, "channels": list(channels), "limit": limit})


def due_by_channel(session: Session, now: datetime) -> dict[str, int]:
    """How many actions could go out now, by channel."""
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            select actions.channel, count(*)
            from cs.actions
            left join cs.enrolments using (enrolment_id)
            where {MAY_GO}
            group by actions.channel
            order by actions.channel
            """,
            {"now": now},
        )
        return dict(cursor.fetchall())


def find_uncertain(session: Session, channels: Sequence[str], limit: int, now: datetime) -> pd.DataFrame:
    """Up to `limit` uncertain actions on `channels` that can be looked up by now; columns as of `due`.

    Those that were never looked for come first.
    """
    sql = f"""
        {_SELECT}
        where actions.channel = any(%(channels)s) and {MAY_LOOK_UP}
        order by actions.looked_up_at nulls first, actions.action_id
        limit %(limit)s
    """
    return _frame(session, sql, {"channels": list(channels), "limit": limit, **look_up_period(now)})


def _frame(session: Session, sql: str, parameters: dict[str, object]) -> pd.DataFrame:
    with session.cursor() as cursor:
        cursor.execute(sql, parameters)
        return pd.DataFrame(cursor.fetchall(), columns=[*COLUMNS, *CASE_COLUMNS], dtype="object")
