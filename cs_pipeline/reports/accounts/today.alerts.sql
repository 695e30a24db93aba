-- Open alerts of a severity that nobody looks after, but for what held before its rule was first asked; those of the
-- accounts that pay most first (see today.py).
with chosen as materialized (
    select
        alerts.alert_id,
        alerts.rule,
        alerts.severity,
        alerts.entity,
        alerts.measured,
        alerts.held_against,
        alerts.facts,
        alerts.account_id,
        overview.account_name,
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
),

-- Of those that have left only the name is known.
left_accounts as (
    select
        accounts.account_id,
        accounts.account_name
    from staging.stg_accounts as accounts
    where
        accounts.account_id in (
            select chosen.account_id
            from chosen
            where chosen.account_name is null
        )
)

select
    chosen.alert_id,
    chosen.rule,
    chosen.severity,
    chosen.entity,
    cs.person_of_alert(chosen.account_id, chosen.entity, chosen.facts) as person,
    chosen.measured,
    chosen.held_against,
    chosen.facts,
    chosen.account_id,
    coalesce(chosen.account_name, left_accounts.account_name) as account_name,
    chosen.owner_email,
    chosen.arr,
    chosen.fired_at
from chosen
left join left_accounts on chosen.account_id = left_accounts.account_id
order by
    chosen.arr desc nulls last,
    chosen.alert_id desc
