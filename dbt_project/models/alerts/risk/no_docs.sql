with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('no_docs', {'days': 90}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    select
        daily.account_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.doc_views) as doc_views
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', 'asked.days') }}
        and daily.doc_views > 0
    group by daily.account_id, daily.activity_date, daily.counts_from

),

account_days_asked as materialized (

    select
        days_asked.as_of,
        account_days.*
    from {{ days_looked_back_on('asked.days') }} as days_asked
    inner join account_days on days_asked.looked_back_on = account_days.activity_date

)

-- A company that records no views of documentation would find every account.
select
    customers.as_of,
    customers.account_id,
    customers.account_id as entity,
    cast(0 as double precision) as measured,
    customers.days as held_against,
    jsonb_build_object('days', customers.days) as facts
from customers
where
    customers.created_on < {{ utc_day('customers.as_of') }} - cast(customers.days as integer)
    and exists (select 1 from account_days)
    and not exists (
        select 1
        from account_days_asked as account_days
        where
            account_days.as_of = customers.as_of
            and account_days.account_id = customers.account_id
            and {{ in_last_days('account_days.activity_date', 'customers.as_of', 'customers.days') }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    )
