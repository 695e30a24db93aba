select
    moments.as_of,
    value_log.account_id,
    value_log.value_id as entity,
    value_log.amount as measured,
    parameters.amount as held_against,
    jsonb_build_object(
        'kind', value_log.kind,
        'recorded_on', value_log.recorded_on
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_value_log') }} as value_log
    on {{ is_news_of_day('value_log.recorded_on', 'moments.as_of') }}
inner join {{ ref('stg_accounts') }} as accounts on value_log.account_id = accounts.account_id
inner join {{ alert_parameters('roi_documented', {'amount': 0}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    value_log.amount > parameters.amount
    and {{ was_known('value_log._loaded_at', utc_midnight('value_log.recorded_on'), 'moments.as_of') }}
