with asked as (
    {all_requests}
)

select
    account_id,
    account_name,
    renewal_date,
    arr,
    array_remove(array_agg(distinct coalesce(feature_name, feature)), null) as features,
    count(*) over () as of_all
from asked
where is_open and renews_soon
group by account_id, account_name, renewal_date, arr
order by arr desc, account_id asc
limit %(most)s
