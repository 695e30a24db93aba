-- What signals were worth: of accounts that had one in the year before the last three months, how many grew within
-- three months of it, and by how much. What held when a rule was first evaluated is no signal of that day.
with fired as (
    select distinct
        changes.account_id,
        date_trunc('month', changes.as_of at time zone 'UTC')::date as month
    from cs.alert_changes as changes
    inner join cs.alerts as alerts on changes.alert_id = alerts.alert_id
    where
        changes.rule = any(%(rules)s)
        and changes.account_id <> ''
        and changes.to_state = 'firing'
        and not alerts.is_baseline
        and changes.as_of >= %(as_of)s::timestamptz - interval '15 months'
        and changes.as_of < %(as_of)s::timestamptz - interval '3 months'
),

followed as (
    select
        fired.account_id,
        fired.month,
        sum(movements.mrr_change) as grown,
        min(movements.mrr_before) as mrr_before
    from fired
    left join marts.fct_mrr_movements as movements
        on
            fired.account_id = movements.account_id
            and movements.movement = 'expansion'
            and fired.month < movements.month
            and (fired.month + interval '3 months')::date >= movements.month
    group by fired.account_id, fired.month
)

select
    (select min(evaluations.as_of) from cs.alert_evaluations as evaluations) as evaluated_since,
    count(*) as signals,
    count(grown) as grew,
    percentile_cont(0.5) within group (order by grown / nullif(mrr_before, 0)) as median_growth
from followed
