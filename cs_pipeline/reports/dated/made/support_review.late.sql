-- Tickets that waited past their time at the end of the week, and a week before.
select
    count(*) filter (where is_now) as late,
    count(*) filter (where not is_now) as late_before,
    coalesce(sum(arr) filter (where is_now), 0) as arr_late
from support_clocks
where is_waiting and state = 'breached'
