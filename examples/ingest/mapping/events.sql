-- _dlt_load_id is the moment, in seconds since 1970, of the load that brought a row.
select
    clicks.id::text as event_id,
    people.company_id::text as account_id,
    clicks.person_id::text as user_id,
    clicks.clicked_at as occurred_at,
    case when clicks.what = 'login' then 'login' else 'feature_used' end as event_name,
    nullif(clicks.what, 'login') as feature,
    to_timestamp(clicks._dlt_load_id::double precision) as _changed_at
from landing_shop.clicks as clicks
left join landing_shop.people as people on clicks.person_id = people.id
