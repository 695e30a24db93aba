-- Who opened most tickets in the week, two or more, those that pay most first among equals. Where the week's ARR is not
-- known, each ticket has that of its own start: the newest counts.
select
    account_id,
    account_name,
    (array_agg(arr order by started_at desc, ticket_id asc))[1] as arr,
    count(*) as opened,
    count(*) filter (where state = 'breached') as late,
    count(*) filter (where is_waiting) as waiting,
    count(*) over () as of_all
from support_clocks
where is_now and started_at >= %(first)s::date and started_at < %(as_of)s::timestamptz
group by account_id, account_name
having count(*) >= 2
order by opened desc, arr desc, account_id asc
limit %(most)s
