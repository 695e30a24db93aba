with

asked as (

    select
        moments.as_of,
        parameters.*,
        moments.as_of - make_interval(days => cast(parameters.days as integer)) as window_begins
    from {{ moments() }} as moments
    cross join {{ alert_parameters(
        'contact_quiet', {
            'days': 21,
            'times_usual': 3,
            'roles': ['point_of_contact', 'power_user']
        }
    ) }} as parameters

),

people as (

    {{ contacts_asked() }}

),

user_days as (

    select
        daily.account_id,
        daily.user_id,
        daily.activity_date,
        daily.counts_from,
        sum(daily.logins) as logins
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', '4 * asked.days') }}
        and daily.logins > 0
        and exists (
            select 1
            from people
            where people.account_id = daily.account_id and people.user_id = daily.user_id
        )
    group by daily.account_id, daily.user_id, daily.activity_date, daily.counts_from

),

user_days_asked as materialized (

    select
        days_asked.as_of,
        user_days.*
    from {{ days_looked_back_on('4 * asked.days') }} as days_asked
    inner join user_days on days_asked.looked_back_on = user_days.activity_date

),

last_logins as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        max(user_days.activity_date) as last_login_on,
        count(distinct user_days.activity_date) as login_days
    from people
    inner join user_days_asked as user_days
        on
            people.as_of = user_days.as_of
            and people.account_id = user_days.account_id
            and people.user_id = user_days.user_id
            and {{ in_last_days('user_days.activity_date', 'people.as_of', '4 * people.days') }}
            and user_days.counts_from <= {{ utc_day('people.as_of') }}
    group by people.as_of, people.account_id, people.user_id

),

quiet as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        people.role,
        people.days,
        people.times_usual,
        last_logins.last_login_on,
        least(
            {{ utc_day('people.as_of') }} - coalesce(last_logins.last_login_on, people.created_on) - 1, 4 * people.days
        ) as days_without,
        {{ usual_gap(
            'people.as_of', '4 * people.days', 'people.created_on', 'last_logins.last_login_on',
            'last_logins.login_days'
        ) }} as usual_gap
    from people
    left join last_logins
        on
            people.as_of = last_logins.as_of
            and people.account_id = last_logins.account_id
            and people.user_id = last_logins.user_id

)

select
    as_of,
    account_id,
    user_id as entity,
    cast(days_without as double precision) as measured,
    days as held_against,
    jsonb_build_object('role', replace(role, '_', ' '), 'last_login_on', last_login_on) as facts
from quiet
where
    days_without >= days
    -- Who did nothing as far as the rule looks back has nothing that is usual.
    and days_without >= coalesce(times_usual * usual_gap, 0)
