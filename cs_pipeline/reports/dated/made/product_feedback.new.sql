with asked as (
    {all_requests}
)

select
    account_id,
    account_name,
    priority,
    feature,
    feature_name,
    words,
    arr,
    count(*) over () as of_all
from asked
where is_new and is_open
order by array_position(array['urgent', 'high', 'medium', 'low'], priority) asc, arr desc, source_id asc
limit %(most)s
