-- Rules as they were evaluated last, what is open of them, and how often they fired in the last 30 days.
with newest as (
    {newest_evaluations}
),

counted as (
    select
        rule,
        count(*) filter (where state in ('firing', 'recovering') and not is_held) as open,
        count(*) filter (where state in ('firing', 'recovering') and is_held) as held,
        count(*) filter (where fired_at > %(now)s::timestamptz - interval '30 days' and not is_baseline) as fired_30d,
        max(fired_at) filter (where not is_baseline) as last_fired
    from cs.alerts
    group by rule
)

select
    newest.rule,
    newest.health,
    newest.as_of as evaluated_for,
    newest.evaluated_at,
    newest.error,
    newest.is_absent,
    coalesce(counted.open, 0) as open,
    coalesce(counted.held, 0) as held,
    coalesce(counted.fired_30d, 0) as fired_30d,
    counted.last_fired
from newest
left join counted on newest.rule = counted.rule
order by newest.rule
