-- The rows that messages show: of each kind and rule the first few, by severity, then ARR.
with told as (
    select
        to_tell.message,
        to_tell.notification_id,
        notifications.recipient,
        notifications.role,
        notifications.kind,
        notifications.nth,
        alerts.alert_id,
        alerts.rule,
        alerts.account_id,
        accounts.account_name,
        accounts.arr,
        alerts.entity,
        alerts.severity,
        alerts.since,
        alerts.fired_at,
        alerts.ended_at,
        alerts.measured,
        alerts.held_against,
        alerts.facts,
        alerts.reopened,
        array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity) as urgency
    from alerts_to_tell as to_tell
    inner join cs.alert_notifications as notifications using (notification_id)
    inner join cs.alerts using (alert_id)
    left join {accounts} as accounts on alerts.account_id = accounts.account_id
),

placed as (
    select
        *,
        count(*) over (partition by message, kind, rule) as of_rule,
        row_number() over (
            partition by message, kind, rule
            order by urgency asc, arr desc nulls last, account_id asc, alert_id asc
        ) as place
    from told
)

select
    message,
    notification_id,
    recipient,
    role,
    kind,
    nth,
    alert_id,
    rule,
    account_id,
    account_name,
    arr,
    entity,
    severity,
    since,
    fired_at,
    ended_at,
    measured,
    held_against,
    facts,
    reopened,
    of_rule,
    cs.person_of_alert(account_id, entity, facts) as person
from placed
where place <= %(per_rule)s
order by message asc, urgency asc, arr desc nulls last, account_id asc, alert_id asc
