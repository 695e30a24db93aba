-- There is no table of users: usage hangs on subscriptions. The table is required, so it is provided, with nobody in it.
select
    null::text as user_id,
    null::text as account_id,
    null::timestamptz as created_at
where false
