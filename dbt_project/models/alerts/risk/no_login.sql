with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('no_login', {'days': 7, 'times_usual': 3}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    {{ account_days_asked(['logins'], '8 * asked.days') }}

),

last_logins as (

    select
        customers.as_of,
        customers.account_id,
        max(account_days.activity_date) as last_login_on,
        count(*) as login_days
    from customers
    inner join account_days
        on
            customers.as_of = account_days.as_of
            and customers.account_id = account_days.account_id
            and account_days.logins > 0
            and {{ in_last_days('account_days.activity_date', 'customers.as_of', '8 * customers.days') }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.account_id

),

silent as (

    select
        customers.as_of,
        customers.account_id,
        customers.days,
        customers.times_usual,
        last_logins.last_login_on,
        least(
            {{ utc_day('customers.as_of') }} - coalesce(last_logins.last_login_on, customers.created_on) - 1,
            8 * customers.days
        ) as days_without,
        {{ usual_gap(
            'customers.as_of', '8 * customers.days', 'customers.created_on', 'last_logins.last_login_on',
            'last_logins.login_days'
        ) }} as usual_gap
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
    jsonb_build_object(
        'last_login_on', last_login_on,
        'usual_gap', round(cast(usual_gap as numeric), 1)
    ) as facts
from silent
where
    days_without >= days
    -- Who did nothing as far as the rule looks back has nothing that is usual.
    and days_without >= coalesce(times_usual * usual_gap, 0)
