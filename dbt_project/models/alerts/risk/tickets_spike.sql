{%- set last_days = 'tickets.created_at > asked.as_of - make_interval(secs => 86400 * asked.days)' %}

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
        asked.ratio,
        asked.tickets as tickets_asked,
        tickets.account_id,
        count(*) filter (where {{ last_days }}) as count_now,
        count(*) filter (where not ({{ last_days }})) as count_before
    from asked
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on asked.tier = coalesce(accounts.tier, '') and {{ held_at('accounts', 'asked.as_of') }}
    inner join {{ ref('stg_tickets') }} as tickets
        on
            accounts.account_id = tickets.account_id
            and asked.as_of >= tickets.created_at
    where
        tickets.created_at > asked.as_of - make_interval(secs => 86400 * 2 * asked.days)
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}
    group by asked.as_of, asked.ratio, asked.tickets, tickets.account_id

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(count_now as double precision) / greatest(count_before, 1) as measured,
    ratio as held_against,
    jsonb_build_object('now', count_now, 'before', count_before) as facts
from counts
where
    count_now >= tickets_asked
    and count_now >= ratio * greatest(count_before, 1)
