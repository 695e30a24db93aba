"""Make actions uncertain whose worker, or whose record, was lost; settle those that were looked up at their provider.

Nobody knows whether an uncertain action was sent, so it is never sent again on a guess: a lookup, or a person, decides.
Which ones can be looked up is in `queue`; who asks the provider is `delivery.lookups`.
"""

from datetime import datetime

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import LookupResult
from cs_pipeline.plays.outbox.lock import change_in_order
from cs_pipeline.plays.reasons import RESTORED


def expire_leases(session: Session, now: datetime) -> int:
    """Make `uncertain` what a worker claimed and never reported: it may have died before or after the provider."""
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set status = 'uncertain', reason = 'worker_lost', claimed_by = null, lease_until = null
            where status = 'claimed' and lease_until <= %s
            """,
            [now],
        )
        return cursor.rowcount


def doubt_what_was_due(session: Session, now: datetime) -> int:
    """Make `uncertain` what is due by now, of a database that was restored: it may have gone out since the backup."""
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set status = 'uncertain', reason = %s, claimed_by = null, lease_until = null
            where status = 'claimed' or (status = 'planned' and due_at <= %s)
            """,
            [RESTORED, now],
        )
        return cursor.rowcount


def settle(session: Session, action_id: int, attempt: int, lookup: LookupResult, now: datetime) -> bool:
    """Settle an uncertain action by what was found of its attempt at the provider, and remember that it was looked for.

    False when nothing is known still, or the action was settled, and perhaps taken again, while the provider was asked.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set
                status = coalesce(%(status)s, status),
                reason = case when %(status)s::text is null then reason else %(reason)s end,
                sent_at = %(sent_at)s,
                provider_id = coalesce(%(provider_id)s, provider_id),
                looked_up_at = %(now)s
            where action_id = %(action_id)s and attempts = %(attempt)s and status = 'uncertain'
            """,
            {
                "now": now,
                "status": {"found": "sent", "not_found": "planned", "cannot_look": None}[lookup.state],
                "reason": None if lookup.state == "found" else "not_found",
                "sent_at": now if lookup.state == "found" else None,
                "provider_id": lookup.provider_id,
                "action_id": action_id,
                "attempt": attempt,
            },
        )
        return cursor.rowcount > 0 and lookup.state != "cannot_look"
