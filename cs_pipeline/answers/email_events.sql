with taken as (
    update cs.sendgrid_events
    set load_id = %(load)s
    where load_id is null
    returning event_key, event, occurred_at, received_at, action_key, email, body
),

ours as (
    select
        taken.event_key,
        taken.occurred_at,
        taken.received_at,
        taken.email,
        actions.action_key,
        actions.account_id,
        actions.recipient_user_id,
        actions.playbook,
        case taken.event
            when 'processed' then 'sent'
            when 'delivered' then 'delivered'
            when 'click' then 'click'
            when 'spamreport' then 'spam'
            when 'unsubscribe' then 'unsubscribe'
            when 'group_unsubscribe' then 'unsubscribe'
            when 'group_resubscribe' then 'subscribe'
            when 'bounce' then case taken.body ->> 'type' when 'blocked' then 'soft_bounce' else 'bounce' end
            -- A mail program that loads every picture by itself says nothing of its reader.
            when 'open' then case taken.body ->> 'sg_machine_open' when 'true' then null else 'open' end
        end as event
    from taken
    inner join cs.actions on taken.action_key = actions.action_key
    inner join raw.accounts on actions.account_id = accounts.account_id
    where actions.role = any(%(roles)s)
),

rows_of_events as (
    select
        case ours.event when 'sent' then 'sendgrid sent ' || ours.action_key else 'sendgrid ' || ours.event_key end
            as email_event_id,
        ours.event,
        ours.occurred_at,
        ours.received_at,
        ours.email,
        ours.action_key,
        ours.account_id,
        ours.recipient_user_id,
        ours.playbook
    from ours
    where ours.event is not null
    union all
    -- Where SendGrid is not asked to tell that it took a mail, that it arrived says that it was sent.
    select
        'sendgrid sent ' || ours.action_key,
        'sent',
        ours.occurred_at,
        ours.received_at,
        ours.email,
        ours.action_key,
        ours.account_id,
        ours.recipient_user_id,
        ours.playbook
    from ours
    where ours.event = 'delivered'
),

-- What a load brought under the same id stays, as another account's, too.
known as (
    select email_event_id
    from raw.email_events
    where email_event_id in (select rows_of_events.email_event_id from rows_of_events)
),

written as (
    insert into raw.email_events (
        email_event_id, account_id, user_id, email, message_id, event, occurred_at, campaign, _loaded_at, _load_id
    )
    select
        rows_of_events.email_event_id,
        rows_of_events.account_id,
        rows_of_events.recipient_user_id,
        rows_of_events.email,
        rows_of_events.action_key,
        rows_of_events.event,
        rows_of_events.occurred_at,
        rows_of_events.playbook,
        rows_of_events.received_at,
        %(load)s
    from rows_of_events
    left join known on rows_of_events.email_event_id = known.email_event_id
    where known.email_event_id is null
    order by rows_of_events.email_event_id, rows_of_events.occurred_at
    on conflict (email_event_id, account_id) do nothing
    returning email_event_id
)

select
    (select count(*) from taken) as taken,
    (select count(*) from written) as written
