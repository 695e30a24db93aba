-- Tickets of the week by who was to answer and within which time.
select
    sla_tier,
    target_minutes,
    count(*) as opened,
    count(*) filter (where state = 'met') as met,
    count(*) filter (where state in ('met', 'breached')) as due,
    percentile_cont(0.5) within group (order by hours) as median_hours,
    avg(hours) as mean_hours
from support_clocks
where is_now and started_at >= %(first)s::date and started_at < %(as_of)s::timestamptz
group by sla_tier, target_minutes
order by sla_tier desc, target_minutes asc
