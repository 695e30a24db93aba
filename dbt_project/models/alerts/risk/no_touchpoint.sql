with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('no_touchpoint', {'days': 30}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

last_touches as (

    select
        moments.as_of,
        touchpoints.account_id,
        max(touchpoints.held_at) as last_held_at
    from {{ moments() }} as moments
    inner join {{ ref('stg_touchpoints') }} as touchpoints
        on moments.as_of >= touchpoints.held_at
    where
        not touchpoints.is_missed
        and {{ was_known('touchpoints._loaded_at', 'touchpoints.held_at', 'moments.as_of') }}
    group by moments.as_of, touchpoints.account_id

),

untouched as (

    select
        customers.as_of,
        customers.account_id,
        customers.days,
        last_touches.last_held_at,
        {{ utc_day('customers.as_of') }}
        - coalesce({{ utc_day('last_touches.last_held_at') }}, customers.created_on) as days_since
    from customers
    left join last_touches
        on customers.as_of = last_touches.as_of and customers.account_id = last_touches.account_id

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(days_since as double precision) as measured,
    days as held_against,
    jsonb_build_object('last_held_at', last_held_at) as facts
from untouched
where days_since > days
