"""The outbox `cs.actions`: how an action moves from planned to sent, failed or uncertain (design section 8).

Every function is one or two set-based statements in the caller's transaction, and gets the present from it. Whether
an action may go out is asked in `guards`; who calls the channels is `delivery`.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Delivery, Finding, Outcome
from cs_pipeline.plays.due import MAY_GO, PlannedAction
from cs_pipeline.plays.postponement import REASONS, Postponed

LOCK = 7_420_004  # any constant of ours
LEASE = timedelta(minutes=15)  # longer than any channel waits for its provider
MOST_RETRIES = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


def claim(session: Session, action: PlannedAction, delivery: Delivery, worker: str, now: datetime) -> int | None:
    """Claim an action for one call of its channel; returns the number of the attempt.

    None when it may not go out any more: another worker has it, or it was cancelled or stopped meanwhile. `delivery`
    is where the message is about to go, kept for the case that nobody comes back to say so.
    """
    with session.cursor() as cursor:
        cursor.execute(
            f"""
            with claimed as (
                update cs.actions
                set
                    status = 'claimed',
                    reason = null,
                    detail = null,
                    recipient = %(recipient)s,
                    recipient_user_id = %(recipient_user_id)s,
                    delivery = %(delivery)s,
                    attempts = attempts + 1,
                    claimed_by = %(worker)s,
                    lease_until = %(lease_until)s
                where action_id = (
                    select actions.action_id
                    from cs.actions
                    inner join cs.enrolments using (enrolment_id)
                    where actions.action_id = %(action_id)s and {MAY_GO}
                    for update of actions skip locked
                )
                returning action_id, attempts
            )
            insert into cs.action_attempts (action_id, attempt, claimed_by, claimed_at)
            select action_id, attempts, %(worker)s, %(now)s
            from claimed
            returning attempt
            """,
            {
                "action_id": action.action_id,
                "recipient": action.recipient,
                "recipient_user_id": action.recipient_user_id,
                "delivery": delivery,
                "worker": worker,
                "lease_until": now + LEASE,
                "now": now,
            },
        )
        row = cursor.fetchone()
        return None if row is None else int(row[0])


def record(session: Session, action: PlannedAction, attempt: int, outcome: Outcome, now: datetime) -> None:
    """Write down what came of an attempt.

    Also after its lease has expired: a late answer still beats `uncertain`, and a plan to try again. Once the action
    was claimed again or is settled only the attempt keeps the outcome.
    """
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.action_attempts
            set outcome = %s, detail = %s, recorded_at = %s
            where action_id = %s and attempt = %s
            """,
            [outcome.status, outcome.detail, now, action.action_id, attempt],
        )
        cursor.execute(
            "select count(*) from cs.action_attempts where action_id = %s and outcome = 'retry'",
            [action.action_id],
        )
        retries = int(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
        status, reason = {
            "sent": ("sent", None),
            "retry": ("planned", "retry") if retries <= MOST_RETRIES else ("failed", "gave_up"),
            "failed": ("failed", "refused"),
            "uncertain": ("uncertain", "no_answer"),
        }[outcome.status]
        cursor.execute(
            """
            update cs.actions
            set
                status = %(status)s,
                reason = %(reason)s,
                due_at = coalesce(%(due_at)s, due_at),
                sent_at = %(sent_at)s,
                provider_id = %(provider_id)s,
                detail = %(detail)s,
                delivery = %(delivery)s,
                claimed_by = null,
                lease_until = null
            where
                action_id = %(action_id)s
                and attempts = %(attempt)s
                and status in ('claimed', 'uncertain', 'planned')
            """,
            {
                "status": status,
                "reason": reason,
                "due_at": now + _wait(retries, outcome.retry_after) if status == "planned" else None,
                "sent_at": now if status == "sent" else None,
                "provider_id": outcome.provider_id,
                "detail": outcome.detail,
                "delivery": None if status == "planned" else outcome.delivery,
                "action_id": action.action_id,
                "attempt": attempt,
            },
        )


def change_in_order(session: Session) -> None:
    """Wait until no other transaction changes many rows of the outbox, so that two of them never deadlock."""
    with session.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


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


def settle(session: Session, action_id: int, finding: Finding, now: datetime) -> bool:
    """Settle an uncertain action by what was found at the provider; False when nothing is known still."""
    if finding.state == "cannot_look":
        return False
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set
                status = %(status)s,
                reason = %(reason)s,
                sent_at = %(sent_at)s,
                provider_id = %(provider_id)s
            where action_id = %(action_id)s and status = 'uncertain'
            """,
            {
                "status": "sent" if finding.state == "found" else "planned",
                "reason": None if finding.state == "found" else "not_found",
                "sent_at": now if finding.state == "found" else None,
                "provider_id": finding.provider_id,
                "action_id": action_id,
            },
        )
        return cursor.rowcount > 0


def drop(session: Session, status: Literal["suppressed", "failed"], reasons: Mapping[int, str]) -> None:
    """Take planned actions out of the outbox; `reasons` by action id."""
    if not reasons:
        return
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set status = %(status)s, reason = dropped.reason
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


def drop_stale(session: Session, now: datetime) -> Counter[str]:
    """Suppress what was not taken in time, rather than send it late; the reason says what it waited for.

    Returns how many, by reason.
    """
    change_in_order(session)
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.actions
            set
                reason = case
                    when status = 'awaiting_approval' then 'not_approved'
                    when reason = 'kill_switch' or reason = any(%(waited_for)s::text[]) then reason
                    else 'stale'
                end,
                status = 'suppressed'
            where status in ('planned', 'awaiting_approval') and expires_at <= %(now)s
            returning reason
            """,
            {"now": now, "waited_for": list(REASONS)},
        )
        return Counter(reason for (reason,) in cursor.fetchall())


def _wait(retries: int, asked: timedelta | None) -> timedelta:
    """Twice as long after every retry, and never shorter than the provider asked for."""
    return max(asked or timedelta(0), min(FIRST_WAIT * 2 ** (retries - 1), LONGEST_WAIT))
