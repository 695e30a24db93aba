select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.api_calls_30d / earlier.api_calls_30d - 1 as measured,
    parameters.share as held_against,
    jsonb_build_object(
        'now', account_weeks.api_calls_30d,
        'before', earlier.api_calls_30d
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('api_growing', {'share': 0.25, 'calls_before': 100}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ ref('fct_account_weeks') }} as earlier
    on
        account_weeks.account_id = earlier.account_id
        and account_weeks.week - 35 = earlier.week
        and {{ in_weeks_asked('earlier.week', since=5, ago=5) }}
where
    earlier.api_calls_30d >= parameters.calls_before
    and account_weeks.api_calls_30d >= (1 + parameters.share) * earlier.api_calls_30d
