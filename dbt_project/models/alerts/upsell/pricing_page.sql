select
    moments.as_of,
    events.account_id,
    cast({{ utc_day('events.occurred_at') }} as text) as entity,
    cast(sum(events.quantity) as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object(
        'users', count(distinct events.user_id),
        'page', min(events.page),
        'last_at', max(events.occurred_at)
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_events') }} as events
    on
        events.occurred_at > {{ utc_midnight(utc_day('moments.as_of') ~ ' - 1') }}
        and moments.as_of >= events.occurred_at
inner join {{ ref('stg_accounts') }} as accounts on events.account_id = accounts.account_id
inner join {{ alert_parameters('pricing_page', {'pages': ['pricing']}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ is_around_moments('events.occurred_at', 2) }}
    and events.event_name = 'page_view'
    and events.page = any(parameters.pages)
    and {{ was_known('events._loaded_at', 'events.occurred_at', 'moments.as_of') }}
group by moments.as_of, events.account_id, {{ utc_day('events.occurred_at') }}
