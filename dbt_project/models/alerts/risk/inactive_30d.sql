with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('inactive_30d', {'days': 30, 'times_usual': 3}) }} as parameters

),

people as (

    select
        asked.as_of,
        asked.days,
        asked.times_usual,
        users.account_id,
        users.user_id,
        {{ utc_day('users.created_at') }} as created_on
    from asked
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on asked.tier = coalesce(accounts.tier, '') and {{ held_at('accounts', 'asked.as_of') }}
    inner join {{ ref('stg_users') }} as users
        on accounts.account_id = users.account_id
    where
        {{ is_customer('accounts', 'asked.as_of') }}
        and {{ utc_day('users.created_at') }} < {{ utc_day('asked.as_of') }} - cast(asked.days as integer)
        and coalesce(users.deleted_at > asked.as_of, true)
        and {{ was_known('users._loaded_at', 'users.created_at', 'asked.as_of') }}

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
        {{ in_days_asked('daily.activity_date', '2 * asked.days') }}
        and daily.user_id != ''
        and daily.events > 0
    group by daily.account_id, daily.user_id, daily.activity_date, daily.counts_from

),

user_days_asked as materialized (

    select
        days_asked.as_of,
        user_days.*
    from {{ days_looked_back_on('2 * asked.days') }} as days_asked
    inner join user_days on days_asked.looked_back_on = user_days.activity_date

),

last_uses as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        max(user_days.activity_date) as last_use_on,
        count(distinct user_days.activity_date) as days_used
    from people
    inner join user_days_asked as user_days
        on
            people.as_of = user_days.as_of
            and people.account_id = user_days.account_id
            and people.user_id = user_days.user_id
            and {{ in_last_days('user_days.activity_date', 'people.as_of', '2 * people.days') }}
            and user_days.counts_from <= {{ utc_day('people.as_of') }}
    group by people.as_of, people.account_id, people.user_id

),

inactive as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        people.days,
        people.times_usual,
        last_uses.last_use_on,
        least(
            {{ utc_day('people.as_of') }} - coalesce(last_uses.last_use_on, people.created_on) - 1, 2 * people.days
        ) as days_without,
        {{ usual_gap(
            'people.as_of', '2 * people.days', 'people.created_on', 'last_uses.last_use_on', 'last_uses.days_used'
        ) }} as usual_gap
    from people
    left join last_uses
        on
            people.as_of = last_uses.as_of
            and people.account_id = last_uses.account_id
            and people.user_id = last_uses.user_id

)

select
    as_of,
    account_id,
    user_id as entity,
    cast(days_without as double precision) as measured,
    days as held_against,
    jsonb_build_object('last_use_on', last_use_on) as facts
from inactive
where
    days_without >= days
    -- Who did nothing as far as the rule looks back has nothing that is usual.
    and days_without >= coalesce(times_usual * usual_gap, 0)
