-- Alerts that fire on, that somebody was told of so long ago, and that nobody has acknowledged; by rule.
select
    alerts.rule,
    array_agg(alerts.alert_id order by alerts.alert_id) as alert_ids
from cs.alerts
inner join unnest(%(rules)s::text[], %(after)s::interval[]) as asked (rule, after) using (rule)
where
    alerts.state = 'firing'
    and alerts.told_at is not null
    and alerts.told_at <= %(now)s - asked.after
    and alerts.acknowledged_at is null
    and alerts.inhibited_by is null
    and coalesce(alerts.snoozed_until <= %(now)s, true)
    and exists (
        select 1
        from cs.alert_notifications as told
        inner join cs.notices using (notice_id)
        where
            told.alert_id = alerts.alert_id
            and told.fired_at = alerts.fired_at
            and told.kind = 'new'
            and notices.created_at <= %(now)s - asked.after
    )
    and not exists (
        select 1
        from cs.alert_notifications as told
        where
            told.alert_id = alerts.alert_id
            and told.fired_at = alerts.fired_at
            and told.kind = 'escalation'
    )
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
