-- Alerts as people work with them, with what was decided about each (see alert_rows.py).
select
    alerts.alert_id,
    alerts.severity,
    alerts.state,
    alerts.rule,
    nullif(alerts.account_id, '') as account_id,
    accounts.account_name,
    accounts.owner_email,
    accounts.arr,
    nullif(alerts.entity, alerts.account_id) as entity,
    cs.person_of_alert(alerts.account_id, alerts.entity, alerts.facts) as person,
    alerts.measured,
    alerts.held_against,
    alerts.facts,
    alerts.since,
    alerts.fired_at,
    alerts.ended_at,
    alerts.cause,
    alerts.reopened,
    alerts.is_baseline,
    alerts.is_held,
    alerts.inhibited_by,
    alerts.acknowledged_by,
    alerts.acknowledged_at,
    case when alerts.snoozed_until > %(now)s then alerts.snoozed_until end as snoozed_until,
    case when alerts.snoozed_until > %(now)s then alerts.snooze_reason end as snooze_reason,
    silence.until as silenced_until,
    silence.reason as silence_reason
from {alerts_with_accounts}
left join lateral (
    select
        silences.until,
        silences.reason
    from cs.alert_silences as silences
    where
        alerts.ended_at is null
        and silences.lifted_at is null
        and silences.until > %(now)s
        and (silences.rule = alerts.rule or silences.rule is null)
        and (silences.account_id = alerts.account_id or silences.account_id is null)
    order by silences.until desc
    limit 1
) as silence on true
where {shown}
order by {order}
limit %(limit)s
