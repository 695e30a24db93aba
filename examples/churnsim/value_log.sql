-- What a customer gets out of a CRM: the value of the deals it won, a row a day and user.
select
    account_id || '-' || user_id || '-' || event_date as value_id,
    account_id,
    event_date as recorded_on,
    v::double precision as amount,
    'deals won' as kind
from landing.event_daily
inner join landing.event_type using (event_type_id)
where event_type_name = 'win_opportunity'
