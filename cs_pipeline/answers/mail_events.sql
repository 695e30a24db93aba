-- In the order of keys, so that two requests with the same events wait for each other instead of blocking each other.
with given as (
    select distinct on (given.event_key) given.*
    from
        jsonb_to_recordset(%(events)s::jsonb)
            as given (
                event_key uuid,
                event text,
                occurred_at timestamptz,
                message_id text,
                action_key text,
                email text,
                email_hash text,
                refuses text,
                problem text,
                body jsonb
            )
    order by given.event_key
),

-- Of who was erased a hash is kept; what is told of them is counted, and says no more who they were.
erased as (
    select address as email_hash
    from cs.suppressions
    where address in (select given.email_hash from given)
),

kept as (
    insert into cs.sendgrid_events (
        event_key, received_at, event, occurred_at, message_id, action_key, email, problem, body
    )
    select
        given.event_key,
        %(now)s,
        given.event,
        given.occurred_at,
        given.message_id,
        given.action_key,
        case when erased.email_hash is null then given.email end,
        given.problem,
        case when erased.email_hash is null then coalesce(given.body, 'null') else '{}' end
    from given
    left join (select distinct erased.email_hash from erased) as erased on given.email_hash = erased.email_hash
    order by given.event_key
    on conflict (event_key) do nothing
    returning event_key
),

suppressed as (
    insert into cs.suppressions (address, reason, source, since)
    select
        given.email,
        given.refuses,
        %(source)s,
        min(least(given.occurred_at, %(now)s))
    from kept
    inner join given on kept.event_key = given.event_key
    where
        given.refuses is not null
        and given.email is not null
        and given.email_hash not in (select erased.email_hash from erased)
    group by given.email, given.refuses
    order by given.email, given.refuses
    on conflict (address, reason) do nothing
    returning address
)

-- As they were given: without hyphens.
select replace(event_key::text, '-', '') as event_key
from kept
