-- A cause for each of the alerts that people are told of; it is named by when the alert fired.
select
    concat_ws(
        ':',
        'alert',
        rule,
        account_id,
        nullif(entity, account_id),
        extract(epoch from fired_at)::bigint
    ) as trigger_key,
    'alert' as kind,
    account_id,
    entity as subject_id,
    null::date as week,
    %(now)s as occurred_at,
    (%(now)s at time zone 'UTC')::date as anchor_on,
    facts || jsonb_strip_nulls(
        jsonb_build_object(
            'rule', rule, 'entity', entity, 'measured', measured, 'held_against', held_against,
            'alert_severity', severity
        )
    ) as facts
from cs.alerts
where alert_id = any(%(alert_ids)s::bigint[]) and account_id <> ''
order by alert_id
