select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.missed_meetings_90d as measured,
    parameters.meetings as held_against,
    jsonb_build_object('days_since_last_touchpoint', account_weeks.days_since_last_touchpoint) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('missed_meetings', {'meetings': 2}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.missed_meetings_90d >= parameters.meetings
