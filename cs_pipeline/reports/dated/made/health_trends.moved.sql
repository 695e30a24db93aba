-- Customers whose score moved most in one way, weighed by what they pay, with what moved it in the weeks of the month.
with customers as ({customers}),

chosen as (
    select
        *,
        count(*) over () as of_all
    from customers
    where {condition}
    order by abs(change) * greatest(arr, 1) desc, account_id asc
    limit %(most)s
),

drivers as (
    select
        chosen.account_id,
        drivers.metric,
        sum(drivers.delta) as delta
    from chosen
    inner join cs.score_changes as changes
        on
            chosen.account_id = changes.account_id
            and changes.week > %(week_before)s::date
            and changes.week <= %(week)s::date
    cross join lateral unnest(changes.driver_metrics, changes.driver_deltas) as drivers (metric, delta)
    group by chosen.account_id, drivers.metric
),

by_account as (
    select
        account_id,
        array_agg(metric order by abs(delta) desc, metric) as driver_metrics,
        array_agg(delta order by abs(delta) desc, metric) as driver_deltas
    from drivers
    where abs(delta) >= 0.5
    group by account_id
)

select
    chosen.account_id,
    chosen.account_name,
    chosen.owner_email,
    chosen.arr,
    chosen.score,
    chosen.band,
    chosen.score_before,
    chosen.change,
    chosen.of_all,
    coalesce(by_account.driver_metrics, '{}') as driver_metrics,
    coalesce(by_account.driver_deltas, '{}') as driver_deltas
from chosen
left join by_account on chosen.account_id = by_account.account_id
order by abs(chosen.change) * greatest(chosen.arr, 1) desc, chosen.account_id asc
