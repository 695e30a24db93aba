with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('little_time', {'minutes': 15, 'days': 7, 'usual_minutes': 30}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

account_days as (

    {{ account_days_asked(['duration_seconds'], '%s * asked.days' % (usual_spans() | int + 1)) }}

),

spans as (

    select
        customers.as_of,
        customers.account_id,
        {{ span_of('account_days.activity_date', 'customers.as_of', 'customers.days') }} as span,
        sum(account_days.duration_seconds) / 60 as minutes_spent
    from customers
    inner join account_days
        on
            customers.as_of = account_days.as_of
            and customers.account_id = account_days.account_id
            and {{ in_last_days(
                'account_days.activity_date', 'customers.as_of', '%s * customers.days' % (usual_spans() | int + 1)
            ) }}
            and account_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.account_id, span

),

time_spent as (

    select
        as_of,
        account_id,
        coalesce(sum(minutes_spent) filter (where span = 0), 0) as minutes_spent,
        {{ usual_amount('minutes_spent', 'span') }} as usual_minutes
    from spans
    group by as_of, account_id

)

-- A company that records no durations would find every account without time spent.
select
    customers.as_of,
    customers.account_id,
    customers.account_id as entity,
    cast(coalesce(time_spent.minutes_spent, 0) as double precision) as measured,
    customers.minutes as held_against,
    jsonb_build_object(
        'days', customers.days,
        'usual_minutes', round(cast(coalesce(time_spent.usual_minutes, 0) as numeric))
    ) as facts
from customers
left join time_spent
    on customers.as_of = time_spent.as_of and customers.account_id = time_spent.account_id
where
    coalesce(time_spent.minutes_spent, 0) < customers.minutes
    and coalesce(time_spent.usual_minutes, 0) >= customers.usual_minutes
    and {{ utc_day('customers.as_of') }} - customers.created_on > customers.days
    and customers.as_of in (
        select account_days.as_of from account_days
        where account_days.duration_seconds > 0
    )
