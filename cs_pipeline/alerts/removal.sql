-- Close what rules that are watched no longer have open, and say at their newest evaluation that it was the last.
with recursive evaluated as (
    select min(rule) as rule
    from cs.alert_evaluations
    union all
    select
        (
            select min(evaluations.rule)
            from cs.alert_evaluations as evaluations
            where evaluations.rule > evaluated.rule
        ) as rule
    from evaluated
    where evaluated.rule is not null
),

gone as materialized (
    select rule
    from evaluated
    where rule is not null and rule <> all(%(watched)s::text[])
),

newest as (
    select
        gone.rule,
        (
            select max(evaluations.as_of)
            from cs.alert_evaluations as evaluations
            where evaluations.rule = gone.rule and evaluations.health in ('ok', 'held')
        ) as as_of
    from gone
),

marked as (
    update cs.alert_evaluations
    set ends_watch = true
    from newest
    where
        alert_evaluations.rule = newest.rule
        and alert_evaluations.as_of = newest.as_of
        and not alert_evaluations.ends_watch
),

before as (
    select
        alert_id,
        state
    from cs.alerts
    where
        state in ('pending', 'firing', 'recovering')
        and rule in (select gone.rule from gone)
),

closed as (
    update cs.alerts
    set
        state = 'closed',
        cause = 'rule_removed',
        ended_at = %(now)s,
        missing_since = coalesce(alerts.missing_since, %(now)s),
        is_held = false
    from before
    where alerts.alert_id = before.alert_id
    returning
        alerts.alert_id,
        alerts.rule,
        alerts.account_id,
        alerts.entity,
        before.state,
        alerts.version
),

written as (
    insert into cs.alert_changes (alert_id, rule, account_id, entity, as_of, from_state, to_state, cause, version)
    select
        alert_id,
        rule,
        account_id,
        entity,
        %(now)s,
        state,
        'closed',
        'rule_removed',
        version
    from closed
)

select count(*)::integer as closed
from closed
