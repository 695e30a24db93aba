{#
    Days of logins are read from the events of the last two weeks, so that an hourly tick sees the last hour, and before
    that from the roll-up by day, whose rows of past weeks are complete.
#}
{%- set first_day -%}
    (
        select {{ utc_day('min(moments.as_of)') }} - {{ days_of_news() }} - cast(max(parameters.days) as integer)
        from {{ moments() }} as moments
        cross join parameters
    )
{%- endset %}

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

earlier_login_days as not materialized (

    select
        account_id,
        activity_date,
        known_from
    from {{ ref('int_user_activity_daily') }}
    where logins > 0

),

-- Without a login in the time before that the pipeline had seen for sure: few are left to look at closely.
candidates as (

    select
        login_days.*,
        accounts.created_at,
        accounts.churned_at,
        parameters.days
    from login_days
    inner join {{ ref('stg_accounts') }} as accounts on login_days.account_id = accounts.account_id
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    where
        login_days.login_day - {{ utc_day('accounts.created_at') }} >= parameters.days
        and not exists (
            select 1
            from earlier_login_days
            where
                earlier_login_days.account_id = login_days.account_id
                and earlier_login_days.activity_date < login_days.login_day
                and login_days.login_day - earlier_login_days.activity_date < parameters.days
                and earlier_login_days.activity_date > {{ first_day }}
                and earlier_login_days.known_from <= login_days.login_day
        )

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
                and earlier.login_day > {{ utc_day('moments.as_of') }} - {{ 2 * days_of_news() }}
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
cross join lateral (
    select max(earlier_login_days.activity_date) as login_day
    from earlier_login_days
    where
        earlier_login_days.account_id = returned.account_id
        and earlier_login_days.activity_date < returned.login_day
        and earlier_login_days.known_from <= {{ utc_day('returned.as_of') }}
) as last_logins
