select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.users_total / account_weeks.seats as measured,
    parameters.share as held_against,
    jsonb_build_object(
        'users', account_weeks.users_total,
        'seats', account_weeks.seats
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('seats_full', {'share': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.users_total / nullif(account_weeks.seats, 0) >= parameters.share
