-- Rules as they were evaluated last, what is open of them, and how often they fired in the last 30 days.
select
    rules.rule,
    newest.health,
    newest.as_of as evaluated_for,
    newest.evaluated_at,
    newest.error,
    coalesce(counted.open, 0) as open,
    coalesce(counted.held, 0) as held,
    coalesce(counted.fired_30d, 0) as fired_30d,
    counted.last_fired
from unnest(%(rules)s::text[]) as rules (rule)
left join lateral (
    select
        evaluations.health,
        evaluations.as_of,
        evaluations.evaluated_at,
        evaluations.error
    from cs.alert_evaluations as evaluations
    where evaluations.rule = rules.rule
    order by evaluations.as_of desc
    limit 1
) as newest on true
left join lateral (
    select
        count(*) filter (where alerts.state in ('firing', 'recovering') and not alerts.is_held) as open,
        count(*) filter (where alerts.state in ('firing', 'recovering') and alerts.is_held) as held,
        count(*) filter (where alerts.fired_at > %(now)s - interval '30 days' and not alerts.is_baseline) as fired_30d,
        max(alerts.fired_at) filter (where not alerts.is_baseline) as last_fired
    from cs.alerts as alerts
    where alerts.rule = rules.rule
) as counted on true
order by rules.rule
