with

alerts as (

    select
        alerts.alert_id,
        alerts.rule,
        nullif(alerts.account_id, '') as account_id,
        accounts.account_name,
        accounts.owner_email,
        accounts.tier,
        accounts.arr,
        alerts.severity,
        alerts.state,
        alerts.state in ('firing', 'recovering') as is_open,
        alerts.is_baseline,
        alerts.is_held,
        alerts.inhibited_by,
        alerts.measured,
        alerts.held_against,
        alerts.since as first_seen_at,
        alerts.fired_at,
        alerts.ended_at,
        alerts.cause as ended_because,
        alerts.acknowledged_at,
        extract(epoch from alerts.acknowledged_at - alerts.fired_at) / 3600 as hours_to_acknowledge,
        alerts.snoozed_until,
        alerts.reopened
    from cs.alerts as alerts
    left join {{ ref('dim_accounts') }} as accounts on alerts.account_id = accounts.account_id
    where alerts.fired_at is not null

)

select * from alerts
