with recorded as materialized (
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

judged as materialized (
    select
        *,
        case
            when outcome <> 'retry' or cause = 'not_asked' or retries <= %(most_retries)s then false
            -- The newest that the channel has taken, for an index has it; a search would go through all it ever took.
            else coalesce(
                (
                    select max(others.sent_at)
                    from cs.actions as others
                    where
                        others.status = 'sent'
                        and others.channel = (
                            select refused.channel
                            from cs.actions as refused
                            where refused.action_id = recorded.action_id
                        )
                ) >= (
                    select min(attempts.claimed_at)
                    from cs.action_attempts as attempts
                    where attempts.action_id = recorded.action_id and attempts.outcome = 'retry'
                ),
                false
            )
        end as is_given_up
    from recorded
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
