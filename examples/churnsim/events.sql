-- One row a day, user and kind of event, with how many there were; only the day is known, so noon UTC. A day with
-- events is also a day with a login, which the data do not record. `email_list` is the mail to a whole list.
select
    event_daily.account_id || '-' || event_daily.user_id || '-' || event_daily.event_date || '-'
        || event_daily.event_type_id as event_id,
    event_daily.account_id,
    event_daily.account_id || '-' || event_daily.user_id as user_id,
    (event_daily.event_date::date + time '12:00') at time zone 'UTC' as occurred_at,
    case event_type.event_type_name when 'email_list' then 'campaign_sent' else event_type.event_type_name end
        as event_name,
    event_type.event_type_name as feature,
    event_daily.n::double precision as quantity
from landing.event_daily
left join landing.event_type using (event_type_id)
union all
select
    account_id || '-' || user_id || '-' || event_date || '-login',
    account_id,
    account_id || '-' || user_id,
    (event_date::date + time '12:00') at time zone 'UTC',
    'login',
    null,
    1::double precision
from (select distinct account_id, user_id, event_date from landing.event_daily) as active_days
