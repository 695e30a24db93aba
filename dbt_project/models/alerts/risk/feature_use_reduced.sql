select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    1 - account_weeks.features_used_30d / earlier.features_used_30d as measured,
    parameters.share as held_against,
    jsonb_build_object(
        'now', account_weeks.features_used_30d,
        'before', earlier.features_used_30d
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('feature_use_reduced', {'share': 0.3, 'features_before': 4}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ ref('fct_account_weeks') }} as earlier
    on
        account_weeks.account_id = earlier.account_id
        and account_weeks.week - 35 = earlier.week
        and {{ in_weeks_asked('earlier.week', since=5, ago=5) }}
where
    earlier.features_used_30d >= parameters.features_before
    and cast(earlier.features_used_30d - account_weeks.features_used_30d as numeric)
    >= cast(parameters.share as numeric) * cast(earlier.features_used_30d as numeric)
