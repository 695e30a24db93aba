select distinct on (asked.action_id)
    asked.action_id,
    earlier.provider_id,
    not asked.is_quiet and not exists (
        select 1
        from cs.actions as same_play
        where
            same_play.enrolment_id = asked.enrolment_id
            and same_play.channel = 'slack'
            and same_play.status = 'sent'
            and same_play.delivery = 'live'
            and same_play.recipient = asked.recipient
    )
from
    unnest(
        %(action_ids)s::bigint[], %(enrolment_ids)s::bigint[], %(account_ids)s::text[],
        %(recipients)s::text[], %(are_quiet)s::boolean[]
    ) as asked (action_id, enrolment_id, account_id, recipient, is_quiet)
inner join cs.actions as earlier
    on
        asked.account_id = earlier.account_id
        and asked.recipient = earlier.recipient
        and asked.action_id <> earlier.action_id
where
    earlier.account_id = any(%(account_ids)s::text[])
    and earlier.channel = 'slack'
    and earlier.status = 'sent'
    and earlier.delivery = 'live'
    and earlier.provider_id is not null
    and earlier.sent_at >= %(since)s
order by asked.action_id, earlier.sent_at, earlier.action_id
