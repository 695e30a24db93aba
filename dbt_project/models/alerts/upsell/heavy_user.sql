with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('heavy_user', {'events': 100, 'days': 30}) }} as parameters

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

)

select
    asked.as_of,
    user_days.account_id,
    user_days.user_id as entity,
    cast(sum(user_days.events) as double precision) as measured,
    asked.events as held_against,
    jsonb_build_object('days', asked.days) as facts
from asked
inner join {{ ref('stg_accounts') }} as accounts
    on asked.tier = coalesce(accounts.tier, '')
inner join user_days
    on
        accounts.account_id = user_days.account_id
        and user_days.activity_date < {{ utc_day('asked.as_of') }}
        and user_days.counts_from <= {{ utc_day('asked.as_of') }}
        and (
            asked.days = 0
            or user_days.activity_date >= {{ utc_day('asked.as_of') }} - cast(asked.days as integer)
        )
where {{ is_customer('accounts', 'asked.as_of') }}
group by asked.as_of, user_days.account_id, user_days.user_id, asked.events, asked.days
having sum(user_days.events) > asked.events
