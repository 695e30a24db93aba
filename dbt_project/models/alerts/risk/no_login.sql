with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('no_login', {'days': 7}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    select
        daily.account_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.logins) as logins
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', '4 * asked.days') }}
        and daily.logins > 0
    group by daily.account_id, daily.activity_date, daily.counts_from

),

last_logins as (

    select
        customers.as_of,
        customers.account_id,
        max(account_days.activity_date) as last_login_on
    from customers
    inner join account_days
        on
            customers.account_id = account_days.account_id
            and {{ in_last_days('account_days.activity_date', 'customers.as_of', '4 * customers.days') }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.account_id

),

silent as (

    select
        customers.as_of,
        customers.account_id,
        customers.days,
        last_logins.last_login_on,
        least(
            {{ utc_day('customers.as_of') }} - coalesce(last_logins.last_login_on, customers.created_on) - 1,
            4 * customers.days
        ) as days_without
    from customers
    left join last_logins
        on customers.as_of = last_logins.as_of and customers.account_id = last_logins.account_id

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(days_without as double precision) as measured,
    days as held_against,
    jsonb_build_object('last_login_on', last_login_on) as facts
from silent
where days_without >= days
