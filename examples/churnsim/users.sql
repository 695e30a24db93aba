-- Users exist only as numbers in the events, counted within an account: a user begins with the first event. The address
-- is a placeholder in a domain reserved for examples, so that mail has somebody to be captured for.
select
    account_id || '-' || user_id as user_id,
    account_id,
    format('user-%s@account-%s.example.com', user_id, account_id) as email,
    format('User %s', user_id) as full_name,
    min(event_date::date)::timestamptz as created_at
from landing.event_daily
group by account_id, user_id
