-- Open alerts of a severity that nobody looks after, but for what held before its rule was first asked; those of the
-- accounts that pay most first (see today.py).
select
    alerts.alert_id,
    alerts.rule,
    alerts.severity,
    alerts.entity,
    cs.person_of_alert(alerts.account_id, alerts.entity, alerts.facts) as person,
    alerts.measured,
    alerts.held_against,
    alerts.facts,
    alerts.account_id,
    coalesce(
        overview.account_name,
        (
            select accounts.account_name
            from staging.stg_accounts as accounts
            where accounts.account_id = alerts.account_id
        )
    ) as account_name,
    overview.owner_email,
    overview.arr,
    alerts.fired_at
from cs.alerts as alerts
left join cs.account_overview as overview using (account_id)
where
    alerts.severity = %(severity)s
    and alerts.state in ('firing', 'recovering')
    and not alerts.is_held
    and not alerts.is_baseline
    and alerts.inhibited_by is null
    and alerts.acknowledged_at is null
    and coalesce(alerts.snoozed_until <= %(now)s, true)
    and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
order by
    overview.arr desc nulls last,
    alerts.alert_id desc
limit %(limit)s
