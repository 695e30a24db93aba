with asked as (
    {all_requests}
),

by_account as (
    select
        feature,
        feature_name,
        account_id,
        tier,
        arr,
        renews_soon,
        count(*) as items,
        count(*) filter (where is_new) as new
    from asked
    where is_open
    group by feature, feature_name, account_id, tier, arr, renews_soon
)

select
    feature,
    feature_name,
    sum(items)::integer as items,
    sum(new)::integer as new,
    count(*) as accounts,
    count(*) filter (where tier = 'enterprise') as enterprise,
    sum(arr) as arr,
    coalesce(sum(arr) filter (where renews_soon), 0) as arr_renewing,
    count(*) over () as of_all
from by_account
group by feature, feature_name
order by feature is null asc, sum(arr) desc, count(*) desc, feature asc
limit %(most)s
