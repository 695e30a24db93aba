with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('little_time', {'minutes': 15, 'days': 7}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    select
        daily.account_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.duration_seconds) as seconds
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', 'asked.days') }}
    group by daily.account_id, daily.activity_date, daily.counts_from

),

time_spent as (

    select
        customers.as_of,
        customers.account_id,
        sum(account_days.seconds) / 60 as minutes_spent
    from customers
    inner join account_days
        on
            customers.account_id = account_days.account_id
            and {{ in_last_days('account_days.activity_date', 'customers.as_of', 'customers.days') }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.account_id

)

-- A company that records no durations would find every account without time spent.
select
    customers.as_of,
    customers.account_id,
    customers.account_id as entity,
    cast(coalesce(time_spent.minutes_spent, 0) as double precision) as measured,
    customers.minutes as held_against,
    jsonb_build_object('days', customers.days) as facts
from customers
left join time_spent
    on customers.as_of = time_spent.as_of and customers.account_id = time_spent.account_id
where
    coalesce(time_spent.minutes_spent, 0) < customers.minutes
    and {{ utc_day('customers.as_of') }} - customers.created_on > customers.days
    and exists (
        select 1
        from account_days
        where account_days.seconds > 0
    )
