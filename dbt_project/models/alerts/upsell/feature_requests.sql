select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.feature_requests_90d as measured,
    parameters.requests as held_against,
    jsonb_build_object('feature_adoption_ratio', account_weeks.feature_adoption_ratio) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('feature_requests', {'requests': 2}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.feature_requests_90d >= parameters.requests
