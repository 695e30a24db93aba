select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.tickets_30d as measured,
    parameters.tickets as held_against,
    jsonb_build_object(
        'plan', account_weeks.plan,
        'open_tickets', account_weeks.open_tickets
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('support_requirements', {'tickets': 10}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.tickets_30d >= parameters.tickets
    and coalesce(account_weeks.tier, '') != 'enterprise'
