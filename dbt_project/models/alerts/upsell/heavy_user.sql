with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('heavy_user', {'events': 100, 'days': 30, 'share': 0.5}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

user_days as (

    select
        daily.account_id,
        daily.user_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.events) as events
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        daily.user_id != ''
        -- 0 days: all time, as the source has it.
        and (
            (select min(asked.days) from asked) = 0
            or ({{ in_days_asked('daily.activity_date', 'asked.days') }})
        )
    group by daily.account_id, daily.user_id, daily.activity_date, daily.counts_from

),

users as (

    select
        customers.as_of,
        customers.account_id,
        customers.events as events_asked,
        customers.days,
        customers.share,
        user_days.user_id,
        sum(user_days.events) as events
    from customers
    inner join user_days
        on
            customers.account_id = user_days.account_id
            and user_days.activity_date < {{ utc_day('customers.as_of') }}
            and user_days.counts_from <= {{ utc_day('customers.as_of') }}
            and (
                customers.days = 0
                or user_days.activity_date >= {{ utc_day('customers.as_of') }} - cast(customers.days as integer)
            )
    group by
        customers.as_of, customers.account_id, customers.events, customers.days, customers.share, user_days.user_id
    having sum(user_days.events) > 0

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(max(events) as double precision) as measured,
    events_asked as held_against,
    jsonb_build_object(
        'days', days,
        'user_id', (array_agg(user_id order by events desc, user_id asc))[1],
        'heavy_users', count(*) filter (where events > events_asked),
        'active_users', count(*),
        'users', to_jsonb((
            array_agg(user_id order by events desc, user_id asc) filter (where events > events_asked)
        )[1:{{ shown_rows() }}])
    ) as facts
from users
group by as_of, account_id, events_asked, days, share
having
    count(*) filter (where events > events_asked) >= greatest(1, share * count(*))
