select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.value_ratio as measured,
    parameters.ratio as held_against,
    jsonb_build_object(
        'value', account_weeks.value_delivered_365d,
        'arr', account_weeks.arr
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on account_weeks.week = {{ last_week_before('moments.as_of') }}
inner join {{ alert_parameters('kpi_exceeded', {'ratio': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.value_ratio > parameters.ratio
