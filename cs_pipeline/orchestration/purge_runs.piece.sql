with doomed as (
    select runs.run_id
    from {dagster}.runs
    left join kept_runs on runs.run_id = kept_runs.run_id
    where
        runs.status = any(%(ended)s)
        and coalesce(to_timestamp(runs.end_time), runs.update_timestamp at time zone 'UTC') < %(before)s
        and kept_runs.run_id is null
    order by runs.id
    limit %(at_once)s
    for update of runs skip locked
),

deleted_events as (
    delete from {dagster}.event_logs
    using doomed
    where event_logs.run_id = doomed.run_id
    returning event_logs.id
),

deleted_event_tags as (
    delete from {dagster}.asset_event_tags
    using deleted_events
    where asset_event_tags.event_id = deleted_events.id
),

deleted_evaluations as (
    delete from {dagster}.asset_check_executions
    using doomed
    where asset_check_executions.run_id = doomed.run_id
),

deleted_runs as (  -- their tags go with them, by their foreign key
    delete from {dagster}.runs
    using doomed
    where runs.run_id = doomed.run_id
    returning runs.run_id
)

select
    (select count(*) from deleted_runs) as runs,
    (select count(*) from deleted_events) as events
