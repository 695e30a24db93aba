-- Alerts as people work with them: what is most severe and most valuable first, what is over newest first.
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
    silences.until as silenced_until,
    silences.reason as silence_reason
from cs.alerts as alerts
{accounts}
left join lateral (
    select
        set.until,
        set.reason
    from cs.alert_silences as set
    where
        set.lifted_at is null
        and set.until > %(now)s
        and (set.rule is null or set.rule = alerts.rule)
        and (set.account_id is null or set.account_id = alerts.account_id)
    order by set.until desc
    limit 1
) as silences on true
where
    {chosen}
    and (%(rule)s::text is null or alerts.rule = %(rule)s)
    and (%(account)s::text is null or alerts.account_id = %(account)s or accounts.account_name = %(account)s)
    and (%(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s))
order by
    alerts.ended_at desc nulls first,
    array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity),
    accounts.arr desc nulls last,
    alerts.fired_at,
    alerts.alert_id
limit %(limit)s
