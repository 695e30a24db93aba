-- Say of every open alert of a rule which rule stands before it now; returns how many are so.
with before as (
    select
        alerts.alert_id,
        alerts.inhibited_by,
        (
            select others.rule
            from alerts as others
            where
                others.account_id = alerts.account_id
                and others.account_id <> ''
                and others.rule = any(%(inhibitors)s::text[])
                and others.state in ('firing', 'recovering')
            order by others.rule
            limit 1
        ) as stands_before
    from alerts
    where alerts.rule = %(rule)s and alerts.state in ('firing', 'recovering')
),

updated as (
    update alerts
    set inhibited_by = before.stands_before
    from before
    where
        alerts.alert_id = before.alert_id
        and (before.inhibited_by is distinct from before.stands_before)
)

select count(stands_before)::integer as inhibited
from before
