select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    cast(account_weeks.arr as double precision) as measured,
    parameters.arr as held_against,
    jsonb_build_object(
        'asked_to_cancel', coalesce(account_weeks.has_cancellation_request, false),
        'score', scores.score,
        'band', scores.band,
        'renewal_date', account_weeks.renewal_date
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('major_account_at_risk', {'arr': 50000, 'health_severity': 3}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
left join {{ source('cs', 'health_scores') }} as scores
    on
        account_weeks.account_id = scores.account_id
        and account_weeks.week = scores.week
        and {{ in_weeks_asked('scores.week') }}
        and scores.is_active
where
    account_weeks.arr >= parameters.arr
    and (coalesce(account_weeks.has_cancellation_request, false) or scores.severity >= parameters.health_severity)
