-- Scores week by week: how many customers of each severity, their mean, and their mean by ARR.
select
    scores.week,
    scores.severity,
    count(*) as accounts,
    sum(scores.score) as score_sum,
    sum(scores.score * coalesce(weeks.arr, 0)) as score_arr_sum,
    sum(coalesce(weeks.arr, 0)) as arr
from cs.active_scores as scores
inner join marts.fct_account_weeks as weeks on scores.week = weeks.week and scores.account_id = weeks.account_id
where
    scores.week > %(week)s::date - 7 * %(trend_weeks)s
    and scores.week <= %(week)s::date
    and scores.score is not null
    and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
group by scores.week, scores.severity
order by scores.week, scores.severity
