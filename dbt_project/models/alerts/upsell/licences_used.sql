select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.seat_utilisation as measured,
    parameters.share as held_against,
    jsonb_build_object(
        'seats', account_weeks.seats,
        'active_users', account_weeks.active_users_30d
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('licences_used', {'share': 0.7}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.seat_utilisation > parameters.share
