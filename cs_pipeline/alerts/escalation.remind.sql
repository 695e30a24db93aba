-- Alerts that fire on, of which people were last told so long ago that they are reminded; by rule.
select
    alerts.rule,
    array_agg(alerts.alert_id order by alerts.alert_id) as alert_ids
from cs.alerts
inner join unnest(%(rules)s::text[], %(every)s::interval[]) as asked (rule, every) using (rule)
where
    alerts.state = 'firing'
    and alerts.told_at is not null
    and alerts.told_at <= %(now)s - asked.every
    and alerts.acknowledged_at is null
    and alerts.inhibited_by is null
    and coalesce(alerts.snoozed_until <= %(now)s, true)
    and (
        select max(told.created_at)
        from cs.alert_notifications as told
        where
            told.alert_id = alerts.alert_id
            and told.fired_at = alerts.fired_at
            and told.kind in ('new', 'reminder', 'reopened')
            and told.dropped is null
    ) <= %(now)s - asked.every
    and not exists (
        select 1
        from cs.alert_silences as silences
        where
            silences.lifted_at is null
            and silences.until > %(now)s
            and (silences.rule = alerts.rule or silences.rule is null)
            and (silences.account_id = alerts.account_id or silences.account_id is null)
    )
group by alerts.rule
order by alerts.rule
