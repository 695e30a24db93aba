select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.users_total - earlier.users_total as measured,
    parameters.users as held_against,
    jsonb_build_object(
        'now', account_weeks.users_total,
        'before', earlier.users_total,
        'seats', account_weeks.seats
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('team_growing', {'users': 3, 'share': 0.2}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ ref('fct_account_weeks') }} as earlier
    on
        account_weeks.account_id = earlier.account_id
        and account_weeks.week - 91 = earlier.week
        and {{ in_weeks_asked('earlier.week', since=13, ago=13) }}
where
    account_weeks.users_total - earlier.users_total >= parameters.users
    and account_weeks.users_total - earlier.users_total >= parameters.share * earlier.users_total
