select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.nps_response as measured,
    parameters.nps as held_against,
    jsonb_build_object('login_days_30d', account_weeks.login_days_30d) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('high_nps_engaged', {'nps': 8, 'login_days': 12}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.nps_response >= parameters.nps
    and account_weeks.login_days_30d >= parameters.login_days
