select
    moments.as_of,
    tickets.account_id,
    tickets.ticket_id as entity,
    cast(extract(epoch from moments.as_of - tickets.created_at) / 86400 as double precision) as measured,
    parameters.days as held_against,
    jsonb_build_object(
        'subject', left(tickets.subject, 200),
        'created_at', tickets.created_at,
        'is_escalated', tickets.is_escalated
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_tickets') }} as tickets
    on moments.as_of >= tickets.created_at
inner join {{ ref('int_accounts_over_time') }} as accounts
    on tickets.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('critical_ticket_open', {'days': 5}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    tickets.priority = 'critical'
    and coalesce(tickets.resolved_at > moments.as_of, true)
    and tickets.created_at < moments.as_of - make_interval(secs => 86400 * parameters.days)
    and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'moments.as_of') }}
