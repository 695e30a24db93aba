select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.emails_sent_90d as measured,
    parameters.emails as held_against,
    jsonb_build_object('days_since_last_touchpoint', account_weeks.days_since_last_touchpoint) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('unresponsive', {'emails': 3, 'touchpoint_days': 60}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.emails_sent_90d >= parameters.emails
    and account_weeks.email_open_rate_90d = 0
    and account_weeks.email_reply_rate_90d = 0
    and coalesce(account_weeks.days_since_last_touchpoint >= parameters.touchpoint_days, true)
