-- The clocks of tickets as of the week's end, and as of the end of the week before, with the account of the week.
drop table if exists pg_temp.support_clocks;

select set_config('cs_pipeline.moments', concat(%(as_of)s::timestamptz - interval '7 days', ',', %(as_of)s), true);

create temporary table support_clocks on commit drop as
select
    clocks.as_of = %(as_of)s::timestamptz as is_now,
    clocks.ticket_id,
    clocks.account_id,
    clocks.subject,
    clocks.kind,
    clocks.sla_tier,
    clocks.started_at,
    clocks.target_minutes,
    clocks.due_at,
    clocks.clock_minutes / 60 as hours,
    clocks.state,
    clocks.answered_at is null and not clocks.is_resolved as is_waiting,
    coalesce(weeks.account_name, accounts.account_name) as account_name,
    coalesce(weeks.arr, clocks.arr, 0) as arr
from marts.fct_ticket_sla as clocks
left join marts.fct_account_weeks as weeks
    on clocks.account_id = weeks.account_id and weeks.week = %(week)s::date
left join marts.dim_accounts as accounts on clocks.account_id = accounts.account_id;

select set_config('cs_pipeline.moments', '', true);
