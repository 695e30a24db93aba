-- What moved scores in the month, over all customers.
with by_account as (
    select
        changes.account_id,
        drivers.metric,
        sum(drivers.delta) as delta
    from cs.score_changes as changes
    inner join marts.fct_account_weeks as weeks
        on changes.account_id = weeks.account_id and weeks.week = %(week)s::date
    cross join lateral unnest(changes.driver_metrics, changes.driver_deltas) as drivers (metric, delta)
    where
        changes.week > %(week_before)s::date
        and changes.week <= %(week)s::date
        and changes.previous_week is not null
        and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
    group by changes.account_id, drivers.metric
)

select
    metric,
    coalesce(-sum(delta) filter (where delta < 0), 0) as lost,
    count(*) filter (where delta <= -0.5) as accounts_lost,
    coalesce(sum(delta) filter (where delta > 0), 0) as won,
    count(*) filter (where delta >= 0.5) as accounts_won
from by_account
group by metric
having bool_or(abs(delta) >= 0.5)
order by sum(delta) asc, metric asc
