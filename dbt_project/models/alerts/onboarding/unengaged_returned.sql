{#
    Days of logins are read from the events of the last two weeks, so that an hourly tick sees the last hour, and before
    that from the roll-up by day, whose rows of past weeks are complete.
#}
with

parameters as (

    select * from {{ alert_parameters('unengaged_returned', {'days': 30}) }} as parameters

),

login_days as (

    select
        account_id,
        {{ utc_day('occurred_at') }} as login_day,
        min(greatest(occurred_at, _loaded_at)) as counted_at
    from {{ ref('stg_events') }}
    where
        event_name = 'login'
        and {{ is_around_moments('occurred_at', days_of_news() ~ ' + 8') }}
    group by account_id, {{ utc_day('occurred_at') }}

),

earlier_login_days as (

    select
        account_id,
        activity_date,
        min(known_from) as known_from
    from {{ ref('int_user_activity_daily') }}
    where
        logins > 0
        and activity_date > (
            select {{ utc_day('min(asked.as_of)') }} - 2 * {{ days_of_news() }} - cast(max(parameters.days) as integer)
            from {{ moments() }} as asked
            cross join parameters
        )
        and activity_date <= (select {{ utc_day('max(asked.as_of)') }} from {{ moments() }} as asked)
    group by account_id, activity_date

),

-- The last login before each week with logins, of those that had arrived by the end of their own week.
login_weeks as (

    select
        account_id,
        week,
        max(max(last_day)) over (
            partition by account_id
            order by week
            rows between unbounded preceding and 1 preceding
        ) as last_day_before
    from (
        select
            account_id,
            {{ week_of('activity_date') }} as week,
            activity_date as last_day
        from earlier_login_days
        where known_from <= activity_date + 7

        union all

        select
            account_id,
            {{ week_of('login_day') }} as week,
            cast(null as date) as last_day
        from login_days
    ) as days
    group by account_id, week

),

-- Without a login in the weeks before: few are left to look at closely, moment by moment.
candidates as materialized (

    select
        login_days.*,
        accounts.created_at,
        accounts.churned_at,
        parameters.days
    from login_days
    inner join login_weeks
        on
            login_days.account_id = login_weeks.account_id
            and login_weeks.week = {{ week_of('login_days.login_day') }}
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on
            login_days.account_id = accounts.account_id
            and {{ held_at('accounts', utc_midnight('login_days.login_day')) }}
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    where
        login_days.login_day - {{ utc_day('accounts.created_at') }} >= parameters.days
        and coalesce(login_days.login_day - login_weeks.last_day_before >= parameters.days, true)

),

returned as (

    select
        moments.as_of,
        candidates.account_id,
        candidates.login_day,
        candidates.created_at,
        candidates.days
    from {{ moments() }} as moments
    inner join candidates
        on
            {{ is_news_of_day('candidates.login_day', 'moments.as_of') }}
            and moments.as_of >= candidates.counted_at
    where
        {{ is_customer('candidates', 'moments.as_of') }}
        and not exists (
            select 1
            from login_days as earlier
            where
                earlier.account_id = candidates.account_id
                and earlier.login_day < candidates.login_day
                and candidates.login_day - earlier.login_day < candidates.days
                and earlier.login_day > {{ utc_day('moments.as_of') }} - 2 * {{ days_of_news() }}
                and earlier.counted_at <= moments.as_of
        )
        and not exists (
            select 1
            from earlier_login_days
            where
                earlier_login_days.account_id = candidates.account_id
                and earlier_login_days.activity_date < candidates.login_day
                and candidates.login_day - earlier_login_days.activity_date < candidates.days
                and earlier_login_days.known_from <= {{ utc_day('moments.as_of') }}
        )

),

-- Of the few accounts that are left, however long ago.
last_logins as (

    select
        returned.as_of,
        returned.account_id,
        returned.login_day as returned_on,
        max(activity.activity_date) as login_day
    from returned
    inner join {{ ref('int_user_activity_daily') }} as activity
        on
            returned.account_id = activity.account_id
            and returned.login_day > activity.activity_date
            and activity.known_from <= {{ utc_day('returned.as_of') }}
    where
        activity.logins > 0
        and activity.account_id = any(array(select candidates.account_id from candidates))
    group by returned.as_of, returned.account_id, returned.login_day

)

select
    returned.as_of,
    returned.account_id,
    cast(returned.login_day as text) as entity,
    cast(returned.login_day - coalesce(
        last_logins.login_day, {{ utc_day('returned.created_at') }}
    ) as double precision) as measured,
    returned.days as held_against,
    jsonb_build_object('returned_on', returned.login_day, 'last_login_on', last_logins.login_day) as facts
from returned
left join last_logins
    on
        returned.as_of = last_logins.as_of
        and returned.account_id = last_logins.account_id
        and returned.login_day = last_logins.returned_on
