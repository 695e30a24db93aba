-- Alerts as people work with them: what is most severe and most valuable first, what is over newest first.
with silences as (
    select
        silenced.alert_id,
        max(lasting.until) as until,
        (array_agg(lasting.reason order by lasting.until desc))[1] as reason
    from cs.alert_silences as lasting
    inner join cs.alerts as silenced
        on
            (lasting.rule is null or lasting.rule = silenced.rule)
            and (lasting.account_id is null or lasting.account_id = silenced.account_id)
    where
        lasting.lifted_at is null
        and lasting.until > %(now)s
        and silenced.ended_at is null
    group by silenced.alert_id
)

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
left join {accounts} as accounts on alerts.account_id = accounts.account_id
left join silences on alerts.alert_id = silences.alert_id
where
    {shown}
    and (%(rule)s::text is null or alerts.rule = %(rule)s)
    and (%(account)s::text is null or alerts.account_id = %(account)s or accounts.account_name = %(account)s)
    and (%(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s))
order by
    alerts.ended_at desc nulls first,
    array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity) asc,
    accounts.arr desc nulls last,
    alerts.fired_at asc,
    alerts.alert_id asc
limit %(limit)s
