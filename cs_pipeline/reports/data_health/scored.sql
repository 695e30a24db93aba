-- Accounts of a scored week by what became of their score, and by how much of what it is made of was known.
select
    coalesce(scores.status, 'none') as status,
    case when scores.status = 'scored' then floor(least(scores.coverage, 1) * 10)::integer end as floor,
    count(*)::integer as accounts,
    sum(overview.arr) as arr
from cs.account_overview as overview
left join cs.active_scores as scores
    on overview.account_id = scores.account_id and scores.week = %(week)s
where overview.week = %(week)s
group by 1, 2
order by 1, 2 desc
