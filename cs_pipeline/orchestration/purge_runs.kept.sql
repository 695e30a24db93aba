-- Runs that stay however old they are: what the UI shows of an asset or a check today is theirs.
create temporary table kept_runs as
with materializations as (
    select distinct on (asset_key, partition) run_id
    from {dagster}.event_logs
    where dagster_event_type = 'ASSET_MATERIALIZATION' and asset_key is not null
    order by asset_key asc, partition asc, id desc
),

evaluations as (
    select distinct on (asset_key, check_name, partition) run_id
    from {dagster}.asset_check_executions
    order by asset_key asc, check_name asc, partition asc, id desc
)

select run_id from materializations
union
select run_id from evaluations
