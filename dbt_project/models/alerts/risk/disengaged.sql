select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.days_since_last_login as measured,
    parameters.login_days as held_against,
    jsonb_build_object(
        'email_open_rate_90d', account_weeks.email_open_rate_90d,
        'days_since_last_touchpoint', account_weeks.days_since_last_touchpoint
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on account_weeks.week = {{ last_week_before('moments.as_of') }}
inner join {{ alert_parameters('disengaged', {'login_days': 14, 'touchpoint_days': 30}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.days_since_last_login >= parameters.login_days
    and coalesce(account_weeks.email_open_rate_90d = 0, true)
    and coalesce(account_weeks.days_since_last_touchpoint >= parameters.touchpoint_days, true)
