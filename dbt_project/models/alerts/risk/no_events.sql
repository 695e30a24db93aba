select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.trainings_attended_90d as measured,
    parameters.attended as held_against,
    jsonb_build_object('attended_ever', account_weeks.attended_training_ever) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('no_events', {'attended': 1, 'attended_before': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.trainings_attended_90d < parameters.attended
    and account_weeks.attended_training_ever >= parameters.attended_before
    and account_weeks.tenure_days > 90
