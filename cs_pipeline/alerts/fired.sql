-- Alerts that fired between two moments, as scorecards and reports read them, a row each.
-- Names without a schema: a replay has tables of its own under them.
with touched as (
    select distinct
        fired.account_id,
        fired.fired_at
    from alerts as fired
    inner join staging.stg_touchpoints as touchpoints
        on
            fired.account_id = touchpoints.account_id
            and fired.fired_at < touchpoints.held_at
            and fired.fired_at + interval '7 days' >= touchpoints.held_at
    where %(is_told)s
)

select
    alerts.rule,
    alerts.account_id,
    alerts.entity,
    coalesce(evaluations.version, alerts.version) as version,
    alerts.state,
    alerts.cause,
    alerts.since,
    alerts.fired_at,
    alerts.ended_at,
    alerts.reopened,
    alerts.is_baseline,
    alerts.is_held,
    extract(epoch from alerts.acknowledged_at - alerts.fired_at)::double precision / 3600 as hours_to_acknowledge,
    case
        when %(is_told)s
            then
                alerts.snooze_reason is not null
                or exists (
                    select 1
                    from alert_silences as silences
                    where
                        (silences.rule is null or silences.rule = alerts.rule)
                        and (silences.account_id is null or silences.account_id = alerts.account_id)
                        and silences.set_at <= alerts.fired_at
                        and coalesce(silences.lifted_at, silences.until) > alerts.fired_at
                )
    end as is_put_off,
    case
        when
            %(is_told)s
            and alerts.account_id <> ''
            and exists (select 1 from staging.stg_touchpoints)
            and alerts.fired_at + interval '7 days' <= %(known_until)s
            then touched.fired_at is not null
    end as is_touched
from alerts
left join alert_evaluations as evaluations
    on alerts.rule = evaluations.rule and alerts.fired_at = evaluations.as_of
left join touched
    on alerts.account_id = touched.account_id and alerts.fired_at = touched.fired_at
where alerts.fired_at between %(first)s and %(last)s
order by alerts.rule, alerts.account_id, alerts.entity, alerts.fired_at
