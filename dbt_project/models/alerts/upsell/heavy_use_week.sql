with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('heavy_use_week', {'minutes': 600, 'days': 7}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    {{ account_days_asked(['duration_seconds'], 'asked.days') }}

)

select
    customers.as_of,
    customers.account_id,
    customers.account_id as entity,
    cast(sum(account_days.duration_seconds) / 60 as double precision) as measured,
    customers.minutes as held_against,
    jsonb_build_object('days', customers.days) as facts
from customers
inner join account_days
    on
        customers.as_of = account_days.as_of
        and customers.account_id = account_days.account_id
        and {{ in_last_days('account_days.activity_date', 'customers.as_of', 'customers.days') }}
        and account_days.counts_from <= {{ utc_day('customers.as_of') }}
group by customers.as_of, customers.account_id, customers.minutes, customers.days
having sum(account_days.duration_seconds) / 60 > customers.minutes
