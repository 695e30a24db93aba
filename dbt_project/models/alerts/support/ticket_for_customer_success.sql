select
    tickets.as_of,
    tickets.account_id,
    tickets.ticket_id as entity,
    coalesce(tickets.support_minutes, tickets.clock_minutes) as measured,
    tickets.target_minutes as held_against,
    {{ facts_of_ticket('tickets') }} as facts
from {{ ref('fct_ticket_sla') }} as tickets
inner join {{ alert_parameters('ticket_for_customer_success', {'hours': 4}) }} as parameters
    on parameters.tier = coalesce(tickets.tier, '')
where
    tickets.answered_at is null
    and (
        tickets.sla_tier = 3
        -- Up the ladder, by time: nobody of the support team has answered.
        or (tickets.sla_tier = 2 and tickets.as_of >= tickets.due_at + make_interval(secs => 3600 * parameters.hours))
    )
