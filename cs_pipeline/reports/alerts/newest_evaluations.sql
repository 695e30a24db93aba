-- Rules as they were evaluated last; one that never was has a row of nulls (see newest_evaluations.py).
with rules as (
    select unnest(%(rules)s::text[]) as rule
)

select
    rules.rule,
    newest.health,
    newest.as_of,
    newest.evaluated_at,
    newest.error,
    coalesce(newest.is_absent, false) as is_absent
from rules
left join lateral (
    select alert_evaluations.*
    from cs.alert_evaluations
    where alert_evaluations.rule = rules.rule
    order by alert_evaluations.as_of desc
    limit 1
) as newest on true
