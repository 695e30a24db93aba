-- Tickets of the week by what they were about, beside the week before.
select
    coalesce(kind, '') as kind,
    count(*) filter (where started_at >= %(first)s::date) as opened,
    count(*) filter (where started_at < %(first)s::date) as opened_before,
    count(*) filter (where started_at >= %(first)s::date and state = 'met') as met,
    count(*) filter (where started_at >= %(first)s::date and state in ('met', 'breached')) as due
from support_clocks
where is_now and started_at >= %(first)s::date - 7 and started_at < %(as_of)s::timestamptz
group by coalesce(kind, '')
order by count(*) filter (where started_at >= %(first)s::date) desc, coalesce(kind, '') asc
