with mailed_meanwhile as materialized (
    select
        actions.account_id,
        lower(actions.recipient) as address
    from cs.action_attempts as attempts
    inner join cs.actions using (action_id)
    where
        attempts.attempt_id > %(judged_after)s
        and attempts.claimed_by <> %(worker)s
        and actions.channel = any(%(mail_channels)s::text[])
        and actions.role = any(%(mail_roles)s::text[])
),

free as (
    select
        actions.action_id,
        asked.recipient,
        asked.recipient_user_id,
        asked.delivery
    from cs.actions
    left join cs.enrolments using (enrolment_id)
    inner join
        unnest(
            %(action_ids)s::bigint[], %(recipients)s::text[], %(user_ids)s::text[], %(deliveries)s::text[]
        ) as asked (action_id, recipient, recipient_user_id, delivery)
        using (action_id)
    where
        actions.action_id = any(%(action_ids)s::bigint[])
        and {may_go}
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
select
    action_id,
    attempts,
    %(worker)s,
    %(now)s
from claimed
returning action_id, attempt
