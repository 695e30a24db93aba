-- Tickets that waited for a first answer at the end of the week: past their time first, then by who is to answer.
select
    ticket_id,
    account_id,
    account_name,
    subject,
    sla_tier,
    state,
    hours,
    due_at,
    arr,
    count(*) over () as of_all
from support_clocks
where is_now and is_waiting
order by state = 'breached' desc, sla_tier desc, due_at asc nulls last, ticket_id asc
limit %(most)s
