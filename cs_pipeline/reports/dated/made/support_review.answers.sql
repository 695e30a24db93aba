-- How content customers were with tickets that were resolved in the week: a share of the scale, the worst first.
select
    tickets.ticket_id,
    tickets.account_id,
    tickets.subject,
    tickets.csat,
    tickets.csat_scale,
    tickets.resolved_at,
    coalesce(weeks.account_name, accounts.account_name) as account_name,
    coalesce(weeks.arr, 0) as arr,
    count(*) over () as of_all
from staging.stg_tickets as tickets
left join marts.fct_account_weeks as weeks
    on tickets.account_id = weeks.account_id and weeks.week = %(week)s::date
left join marts.dim_accounts as accounts on tickets.account_id = accounts.account_id
where
    tickets.resolved_at >= %(first)s::date
    and tickets.resolved_at < %(as_of)s::timestamptz
    and tickets.csat <= %(bad_share)s * tickets.csat_scale
    and tickets.csat_scale > 0
    and coalesce(tickets._loaded_at < %(as_of)s::timestamptz, true)
order by tickets.csat / tickets.csat_scale::numeric asc, arr desc, tickets.ticket_id asc
limit %(most)s
