"""The outbox `cs.actions`: how an action moves from planned to sent, failed or uncertain (design section 8).

Every function is one or two set-based statements in the caller's transaction, and gets the present from it. Whether
an action may go out is asked in `guards`, what is dropped or put off is in `dropping`; who calls the channels is
`delivery`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg2.extensions import connection as Session

from cs_pipeline.channels.message import Delivery, LookupResult, Outcome
from cs_pipeline.channels.registry import CUSTOMER_CHANNELS
from cs_pipeline.plays.outbox.queue import LEASE, MAY_GO, PlannedAction
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES

LOCK = 7_420_004  # any constant of ours
MOST_RETRIES = 8
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


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
            f"""
            with mailed_meanwhile as materialized (
                select actions.account_id, lower(actions.recipient) as address
                from cs.action_attempts as attempts
                inner join cs.actions using (action_id)
                where
                    attempts.attempt_id > %(judged_after)s
                    and attempts.claimed_by <> %(worker)s
                    and actions.channel = any(%(mail_channels)s::text[])
                    and actions.role = any(%(mail_roles)s::text[])
            ),

            free as (
                select actions.action_id, asked.recipient, asked.recipient_user_id, asked.delivery
                from cs.actions
                left join cs.enrolments using (enrolment_id)
                inner join
                    unnest(
                        %(action_ids)s::bigint[], %(recipients)s::text[], %(user_ids)s::text[], %(deliveries)s::text[]
                    ) as asked (action_id, recipient, recipient_user_id, delivery)
                    using (action_id)
                where
                    actions.action_id = any(%(action_ids)s::bigint[])
                    and {MAY_GO}
                    and not (
                        actions.channel = any(%(mail_channels)s::text[])
                        and actions.role = any(%(mail_roles)s::text[])
                        and exists (
                            select 1
                            from mailed_meanwhile
                            where
                                mailed_meanwhile.account_id = actions.account_id
                                or mailed_meanwhile.address = lower(asked.recipient)
                        )
                    )
                order by actions.action_id
                for update of actions skip locked
            ),

            claimed as (
                update cs.actions
                set
                    status = 'claimed',
                    reason = null,
                    detail = null,
                    told_at = null,
                    looked_up_at = null,
                    recipient = free.recipient,
                    recipient_user_id = free.recipient_user_id,
                    delivery = free.delivery,
                    attempts = attempts + 1,
                    claimed_by = %(worker)s,
                    lease_until = %(lease_until)s
                from free
                where actions.action_id = free.action_id and actions.action_id = any(%(action_ids)s::bigint[])
                returning actions.action_id, actions.attempts
            )
            insert into cs.action_attempts (action_id, attempt, claimed_by, claimed_at)
            select action_id, attempts, %(worker)s, %(now)s
            from claimed
            returning action_id, attempt
            """,
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


def record(session: Session, outcomes: Mapping[tuple[int, int], Outcome], now: datetime) -> None:
    """Write down what came of attempts; keys are (action id, attempt).

    Also after a lease has expired: a late answer still beats `uncertain`, and a plan to try again. Once the action
    was claimed again or is settled only the attempt keeps the outcome. A retry waits twice as long as the one before,
    and never shorter than the provider asked for. It is given up after MOST_RETRIES, but only when the channel has
    taken another message meanwhile: while it takes none, that says nothing about this one.
    """
    change_in_order(session)
    told = {
        "action_ids": [action_id for action_id, _ in outcomes],
        "attempts": [attempt for _, attempt in outcomes],
        "outcomes": [outcome.status for outcome in outcomes.values()],
        "details": [outcome.detail for outcome in outcomes.values()],
        "provider_ids": [outcome.provider_id for outcome in outcomes.values()],
        "deliveries": [outcome.delivery for outcome in outcomes.values()],
        "asked": [outcome.retry_after for outcome in outcomes.values()],
        "causes": [outcome.cause for outcome in outcomes.values()],
        "now": now,
    }
    with session.cursor() as cursor:
        cursor.execute(
            """
            update cs.action_attempts as attempts
            set outcome = told.outcome, detail = told.detail, cause = told.cause, recorded_at = %(now)s
            from unnest(
                %(action_ids)s::bigint[], %(attempts)s::integer[], %(outcomes)s::text[], %(details)s::text[],
                %(causes)s::text[]
            ) as told (action_id, attempt, outcome, detail, cause)
            where attempts.action_id = told.action_id and attempts.attempt = told.attempt
            """,
            told,
        )
        cursor.execute(
            """
            with told as (
                select
                    given.*,
                    (
                        select count(*)
                        from cs.action_attempts as attempts
                        where
                            attempts.action_id = given.action_id
                            and attempts.outcome = 'retry'
                            and attempts.cause <> 'not_asked'
                    ) as retries
                from
                    unnest(
                        %(action_ids)s::bigint[],
                        %(attempts)s::integer[],
                        %(outcomes)s::text[],
                        %(details)s::text[],
                        %(provider_ids)s::text[],
                        %(deliveries)s::text[],
                        %(asked)s::interval[],
                        %(causes)s::text[]
                    ) as given (action_id, attempt, outcome, detail, provider_id, delivery, asked, cause)
            ),

            judged as (
                select
                    *,
                    case
                        when outcome <> 'retry' or cause = 'not_asked' or retries <= %(most_retries)s then false
                        else exists (
                            select 1
                            from cs.actions as refused
                            inner join cs.actions as others on refused.channel = others.channel
                            where
                                refused.action_id = told.action_id
                                and others.status = 'sent'
                                and others.sent_at >= (
                                    select min(attempts.claimed_at)
                                    from cs.action_attempts as attempts
                                    where attempts.action_id = told.action_id and attempts.outcome = 'retry'
                                )
                        )
                    end as is_given_up
                from told
            ),

            decided as (
                select
                    *,
                    outcome = 'retry' and not is_given_up as is_planned,
                    case
                        when outcome <> 'retry' then outcome
                        when is_given_up then 'failed'
                        else 'planned'
                    end as status,
                    case
                        when outcome = 'retry' and cause = 'not_asked' then null
                        when is_given_up then 'gave_up'
                        when outcome = 'retry' and cause = 'channel' then 'channel_paused'
                        when outcome = 'retry' then 'retry'
                        when outcome = 'failed' then 'refused'
                        when outcome = 'uncertain' then 'no_answer'
                    end as reason
                from judged
            )

            update cs.actions
            set
                status = decided.status,
                reason = decided.reason,
                due_at = case
                    when not is_planned or decided.cause = 'not_asked' then actions.due_at
                    when decided.cause = 'channel' then %(now)s + %(first_wait)s
                    else
                        %(now)s + greatest(
                            coalesce(decided.asked, interval '0'),
                            least(%(first_wait)s * power(2, least(decided.retries, 20) - 1), %(longest_wait)s)
                        )
                end,
                sent_at = case when decided.status = 'sent' then %(now)s end,
                provider_id = decided.provider_id,
                detail = decided.detail,
                delivery = case when not is_planned then decided.delivery end,
                claimed_by = null,
                lease_until = null
            from decided
            where
                actions.action_id = decided.action_id
                and actions.attempts = decided.attempt
                and actions.status in ('claimed', 'uncertain', 'planned')
            """,
            {**told, "most_retries": MOST_RETRIES, "first_wait": FIRST_WAIT, "longest_wait": LONGEST_WAIT},
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
