create or replace function cs.refused_addresses(addresses text[], as_of timestamptz)
returns table (given text, reason text, since timestamptz, source text)
language plpgsql stable
as $$
-- Late bound: the staging views are dbt's. Those of an older version, until the next build, know no address of an event.
declare
    address_of_event text := case
        when exists (
            select from pg_catalog.pg_attribute as columns
            where
                columns.attrelid = to_regclass('staging.stg_email_events')
                and columns.attname = 'email'
                and not columns.attisdropped
        ) then 'events.email'
        else 'null::text'
    end;
    mailboxes text[] := array(
        select distinct coalesce(cs.address_of(each), lower(btrim(each))) from unnest(addresses) as each
        where each is not null
    );
    hashes text[] := array(select encode(sha256(convert_to(each, 'UTF8')), 'hex') from unnest(mailboxes) as each);
    user_ids text[];
begin
    -- Arrays, and plans of their own, so that indexes find the rows of a batch whatever the statistics say.
    -- Whose row is gone is known by what we sent them.
    execute $query$
    select array(
        select users.user_id
        from staging.stg_users as users
        where users.email = any($1)
        union
        select actions.recipient_user_id
        from cs.actions
        where
            cs.address_of(actions.recipient) = any($1)
            and actions.channel in ('email', 'sms', 'webhook')
            and actions.recipient_user_id is not null
            and actions.status in ('sent', 'claimed', 'uncertain')
    )
    $query$ into user_ids using mailboxes;
    return query execute replace($query$
    with asked as materialized (
        select
            spellings.given,
            spellings.mailbox,
            encode(sha256(convert_to(spellings.mailbox, 'UTF8')), 'hex') as hash
        from (
            select each as given, coalesce(cs.address_of(each), lower(btrim(each))) as mailbox
            from (select distinct unnest($1)) as distinct_ones (each)
            where each is not null
        ) as spellings
    ),

    holders as materialized (
        select asked.given, users.user_id, users.unsubscribed_at
        from asked
        inner join staging.stg_users as users on asked.mailbox = users.email
        where users.email = any($3)
    ),

    user_ids as materialized (
        select holders.given, holders.user_id
        from holders
        union
        select asked.given, actions.recipient_user_id
        from asked
        inner join cs.actions on asked.mailbox = cs.address_of(actions.recipient)
        where
            cs.address_of(actions.recipient) = any($3)
            and actions.channel in ('email', 'sms', 'webhook')
            and actions.recipient_user_id is not null
            and actions.status in ('sent', 'claimed', 'uncertain')
    ),

    events as materialized (
        select asked.given, events.event, events.occurred_at
        from asked
        inner join staging.stg_email_events as events on asked.mailbox = {address_of_event}
        where
            {address_of_event} = any($3)
            and events.event in ('unsubscribe', 'bounce', 'spam', 'subscribe')
            and events.occurred_at <= $2
        union all
        select user_ids.given, events.event, events.occurred_at
        from user_ids
        inner join staging.stg_email_events as events on user_ids.user_id = events.user_id
        where
            events.user_id = any($4)
            and events.event in ('unsubscribe', 'bounce', 'spam', 'subscribe')
            and {address_of_event} is null
            and events.occurred_at <= $2
    ),

    -- Found once for all addresses: beside each of them the whole array would be looked through again.
    listed as materialized (
        select
            coalesce(cs.address_of(suppressions.address), lower(btrim(suppressions.address))) as mailbox,
            suppressions.reason,
            suppressions.since,
            suppressions.source
        from cs.suppressions
        where
            coalesce(cs.address_of(suppressions.address), lower(btrim(suppressions.address))) = any($5)
            and suppressions.since <= $2
    ),

    subscribed as (
        select events.given, max(events.occurred_at) as at
        from events
        where events.event = 'subscribe'
        group by events.given
    ),

    refused as (
        select holders.given, 'unsubscribed' as reason, holders.unsubscribed_at as since, 'users' as source
        from holders
        where holders.unsubscribed_at <= $2
        union all
        select
            events.given,
            case events.event when 'unsubscribe' then 'unsubscribed' when 'bounce' then 'bounced' else 'spam' end,
            events.occurred_at,
            'email_events'
        from events
        where events.event <> 'subscribe'
        union all
        select asked.given, listed.reason, listed.since, listed.source
        from listed
        inner join asked on listed.mailbox = asked.mailbox
        union all
        select asked.given, listed.reason, listed.since, listed.source
        from listed
        inner join asked on listed.mailbox = asked.hash
    )

    select refused.given, refused.reason, min(refused.since), refused.source
    from refused
    left join subscribed on refused.given = subscribed.given
    where
        refused.reason <> 'unsubscribed'
        or refused.source not in ('users', 'email_events')
        or refused.since > coalesce(subscribed.at, '-infinity')
    group by refused.given, refused.reason, refused.source
    $query$, '{address_of_event}', address_of_event)
    using addresses, as_of, mailboxes, user_ids, mailboxes || hashes;
end
$$;
