select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.days_to_renewal as measured,
    parameters.days as held_against,
    jsonb_build_object(
        'renewal_date', account_weeks.renewal_date,
        'score', scores.score,
        'band', scores.band,
        'health_severity', scores.severity,
        'arr', account_weeks.arr
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ source('cs', 'health_scores') }} as scores
    on
        account_weeks.account_id = scores.account_id
        and account_weeks.week = scores.week
        and {{ in_weeks_asked('scores.week') }}
        and scores.is_active
inner join {{ alert_parameters('renewal_and_poor', {'days': 90, 'health_severity': 2}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.days_to_renewal <= parameters.days
    and scores.severity >= parameters.health_severity
