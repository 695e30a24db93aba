with

asked as (

    select
        moments.as_of,
        parameters.*,
        moments.as_of - make_interval(days => cast(2 * parameters.days as integer)) as window_begins
    from {{ moments() }} as moments
    cross join {{ alert_parameters(
        'contact_drop', {
            'days': 30,
            'share': 0.5,
            'events_before': 100,
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
        sum(daily.events) as events
    from {{ ref('int_user_activity_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', '2 * asked.days') }}
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
    from {{ days_looked_back_on('2 * asked.days') }} as days_asked
    inner join user_days on days_asked.looked_back_on = user_days.activity_date

),

both_windows as (

    select
        people.as_of,
        people.account_id,
        people.user_id,
        coalesce(sum(user_days.events) filter (
            where user_days.activity_date >= {{ utc_day('people.as_of') }} - cast(people.days as integer)
        ), 0) as events_now,
        coalesce(sum(user_days.events) filter (
            where user_days.activity_date < {{ utc_day('people.as_of') }} - cast(people.days as integer)
        ), 0) as events_earlier
    from people
    inner join user_days_asked as user_days
        on
            people.as_of = user_days.as_of
            and people.account_id = user_days.account_id
            and people.user_id = user_days.user_id
            and {{ in_last_days('user_days.activity_date', 'people.as_of', '2 * people.days') }}
            and user_days.counts_from <= {{ utc_day('people.as_of') }}
    group by people.as_of, people.account_id, people.user_id

)

select
    both_windows.as_of,
    both_windows.account_id,
    both_windows.user_id as entity,
    1 - cast(both_windows.events_now as double precision) / both_windows.events_earlier as measured,
    people.share as held_against,
    jsonb_build_object(
        'role', replace(people.role, '_', ' '),
        'now', both_windows.events_now,
        'before', both_windows.events_earlier
    ) as facts
from both_windows
inner join people
    on
        both_windows.as_of = people.as_of
        and both_windows.account_id = people.account_id
        and both_windows.user_id = people.user_id
where
    both_windows.events_earlier >= people.events_before
    and cast(both_windows.events_now as numeric)
    <= cast(both_windows.events_earlier as numeric) * (1 - cast(people.share as numeric))
