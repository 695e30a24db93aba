-- Alerts of a rule that fire and that nobody was told of, where nothing stands before that now.
select
    alerts.alert_id,
    alerts.account_id
from alerts
where
    alerts.rule = %(rule)s
    and alerts.state = 'firing'
    and alerts.told_at is null
    and not alerts.is_baseline
    and not alerts.is_held
    and alerts.inhibited_by is null
    and coalesce(alerts.snoozed_until <= %(now)s, true)
    and not exists (
        select 1
        from alert_silences as silences
        where
            silences.lifted_at is null
            and silences.until > %(now)s
            and (silences.rule = alerts.rule or silences.rule is null)
            and (silences.account_id = alerts.account_id or silences.account_id is null)
    )
order by alerts.alert_id
