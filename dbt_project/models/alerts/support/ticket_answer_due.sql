select
    tickets.as_of,
    tickets.account_id,
    tickets.ticket_id as entity,
    coalesce(tickets.support_minutes, tickets.clock_minutes) / tickets.target_minutes as measured,
    parameters.share as held_against,
    {{ facts_of_ticket('tickets') }} as facts
from {{ ref('fct_ticket_sla') }} as tickets
inner join {{ alert_parameters('ticket_answer_due', {'share': 0.75}) }} as parameters
    on parameters.tier = coalesce(tickets.tier, '')
where
    tickets.sla_tier = 2
    and tickets.answered_at is null
    and coalesce(tickets.support_minutes, tickets.clock_minutes) >= parameters.share * tickets.target_minutes
