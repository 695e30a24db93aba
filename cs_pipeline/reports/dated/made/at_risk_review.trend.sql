-- ARR of accounts at risk in each of the last weeks, by severity.
select
    scores.week,
    scores.severity,
    sum(coalesce(weeks.arr, 0)) as arr,
    count(*) as accounts
from cs.active_scores as scores
inner join marts.fct_account_weeks as weeks on scores.week = weeks.week and scores.account_id = weeks.account_id
where
    scores.week > %(week)s::date - 7 * %(trend_weeks)s
    and scores.week <= %(week)s::date
    and scores.is_at_risk
    and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
group by scores.week, scores.severity
order by scores.week, scores.severity
