select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    greatest(account_weeks.csat_90d, account_weeks.nps_response) as measured,
    parameters.answer as held_against,
    jsonb_build_object(
        'csat', account_weeks.csat_90d,
        'nps', account_weeks.nps_response
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('satisfied', {'answer': 9}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    greatest(account_weeks.csat_90d, account_weeks.nps_response) >= parameters.answer
