-- Rules as they were evaluated last, what is open of them, and how often they fired in the last 30 days.
with newest as (
    select distinct on (rule)
        rule,
        health,
        as_of,
        evaluated_at,
        error,
        is_absent
    from cs.alert_evaluations
    where rule = any(%(rules)s::text[])
    order by rule asc, as_of desc
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
    rules.rule,
    newest.health,
    newest.as_of as evaluated_for,
    newest.evaluated_at,
    newest.error,
    coalesce(newest.is_absent, false) as is_absent,
    coalesce(counted.open, 0) as open,
    coalesce(counted.held, 0) as held,
    coalesce(counted.fired_30d, 0) as fired_30d,
    counted.last_fired
from unnest(%(rules)s::text[]) as rules (rule)
left join newest on rules.rule = newest.rule
left join counted on rules.rule = counted.rule
order by rules.rule
