-- By schedule and sensor: its last tick, and how many of the last hour failed. The ticks of one are found by an index
-- of Dagster, newest first; those that never ticked are no rows.
select
    lower(instigators.instigator_type) as type,
    last_tick.name,
    last_tick.ticked_at at time zone 'UTC' as last,
    instigators.status <> 'STOPPED' as is_on,
    (
        select count(*)
        from {schema}.job_ticks as ticks
        where
            ticks.selector_id = instigators.selector_id
            and ticks.timestamp > %(now)s at time zone 'UTC' - interval '1 hour'
            and ticks.status = 'FAILURE'
    ) as failed
from {schema}.instigators
cross join
    lateral (
        select
            ticks.timestamp as ticked_at,
            ticks.tick_body::jsonb ->> 'job_name' as name
        from {schema}.job_ticks as ticks
        where ticks.selector_id = instigators.selector_id
        order by ticks.timestamp desc
        limit 1
    ) as last_tick
where instigators.instigator_type in ('SCHEDULE', 'SENSOR') and last_tick.name is not null
order by type, last_tick.name
