with

account_weeks as (

    select
        moments.as_of,
        account_weeks.account_id,
        account_weeks.tier,
        account_weeks.days_since_last_login,
        account_weeks.email_open_rate_90d,
        account_weeks.days_since_last_touchpoint,
        bool_or(
            account_weeks.email_open_rate_90d is not null or account_weeks.days_since_last_touchpoint is not null
        ) over (partition by moments.as_of) as knows_more_than_logins
    from {{ moments() }} as moments
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on {{ is_last_week('account_weeks.week', 'moments.as_of') }}

)

-- Where logins are all that a company knows, no_login says it already.
select
    account_weeks.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.days_since_last_login as measured,
    parameters.login_days as held_against,
    jsonb_build_object(
        'email_open_rate_90d', account_weeks.email_open_rate_90d,
        'days_since_last_touchpoint', account_weeks.days_since_last_touchpoint
    ) as facts
from account_weeks
inner join {{ alert_parameters('disengaged', {'login_days': 14, 'touchpoint_days': 30}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.knows_more_than_logins
    and account_weeks.days_since_last_login >= parameters.login_days
    and coalesce(account_weeks.email_open_rate_90d = 0, true)
    and coalesce(account_weeks.days_since_last_touchpoint >= parameters.touchpoint_days, true)
