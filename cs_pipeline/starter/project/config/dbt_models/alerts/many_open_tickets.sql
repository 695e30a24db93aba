-- An alert rule of ours: when it holds, for whom, and what was measured. What it is called and who is told stands beside it.
select
    moments.as_of,
    tickets.account_id,
    tickets.account_id as entity,
    cast(count(*) as double precision) as measured,
    parameters.tickets as held_against,
    jsonb_build_object('oldest', min(tickets.created_at)) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_tickets') }} as tickets
    on {{ was_known('tickets._loaded_at', 'tickets.created_at', 'moments.as_of') }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on tickets.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('many_open_tickets', {'tickets': 4}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    tickets.created_at <= moments.as_of
    and coalesce(tickets.resolved_at > moments.as_of, true)
group by moments.as_of, tickets.account_id, parameters.tickets
having count(*) >= parameters.tickets
