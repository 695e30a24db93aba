with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('tickets_spike', {'ratio': 2, 'tickets': 3, 'days': 30}) }} as parameters

),

counts as (

    select
        asked.as_of,
        tickets.account_id,
        count(*) filter (
            where tickets.created_at > asked.as_of - make_interval(secs => 86400 * asked.days)
        ) as count_now,
        count(*) filter (
            where tickets.created_at <= asked.as_of - make_interval(secs => 86400 * asked.days)
        ) as count_before,
        max(tickets.created_at) as last_at
    from asked
    inner join {{ ref('stg_accounts') }} as accounts
        on asked.tier = coalesce(accounts.tier, '')
    inner join {{ ref('stg_tickets') }} as tickets
        on
            accounts.account_id = tickets.account_id
            and asked.as_of >= tickets.created_at
    where
        tickets.created_at > asked.as_of - make_interval(secs => 86400 * 2 * asked.days)
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}
    group by asked.as_of, tickets.account_id

)

select
    counts.as_of,
    counts.account_id,
    counts.account_id as entity,
    cast(counts.count_now as double precision) / greatest(counts.count_before, 1) as measured,
    asked.ratio as held_against,
    jsonb_build_object('now', counts.count_now, 'before', counts.count_before) as facts
from counts
inner join {{ ref('stg_accounts') }} as accounts on counts.account_id = accounts.account_id
inner join asked on counts.as_of = asked.as_of and coalesce(accounts.tier, '') = asked.tier
where
    counts.count_now >= asked.tickets
    and counts.count_now >= asked.ratio * greatest(counts.count_before, 1)
