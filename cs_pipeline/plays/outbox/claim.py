"""Claim actions for one call of their channel, so that no other worker takes them.

The moment of an action's life at which it becomes one worker's own, until its lease ends; what came of the call is
written by `record`. Each function is one statement in the caller's transaction.
"""

from collections.abc import Mapping
from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Delivery
from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.outbox.queue import LEASE, MAY_GO, PlannedAction
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.sql_files import read_sql


def last_attempt(session: Session) -> int:
    """The newest attempt of any worker. Whatever was claimed up to it can be seen from now on."""
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute("select coalesce(max(attempt_id), 0) from cs.action_attempts")
        return cursor.fetchone()[0]  # pyright: ignore[reportOptionalSubscript]


def claim(
    session: Session,
    deliveries: Mapping[int, tuple[PlannedAction, Delivery]],
    worker: str,
    now: datetime,
    *,
    judged_after: int,
) -> dict[int, int]:
    """Claim actions for one call of their channel; returns the number of the attempt by action id.

    An action is absent when it may not go out any more: another worker has it, it was cancelled or stopped meanwhile,
    or another worker has claimed a mail to the same person or account since `judged_after` (the `last_attempt` before
    the caps were asked), so that they would be exceeded. The delivery is where the message is about to go, kept for the
    case that nobody comes back to say so.
    """
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            read_sql(__file__, may_go=MAY_GO),
            {
                "action_ids": list(deliveries),
                "recipients": [action.recipient for action, _ in deliveries.values()],
                "user_ids": [action.recipient_user_id for action, _ in deliveries.values()],
                "deliveries": [delivery for _, delivery in deliveries.values()],
                "worker": worker,
                "lease_until": now + LEASE,
                "judged_after": judged_after,
                "mail_channels": list(CUSTOMER_CHANNELS),
                "mail_roles": list(CUSTOMER_ROLES),
                "now": now,
            },
        )
        return dict(cursor.fetchall())
