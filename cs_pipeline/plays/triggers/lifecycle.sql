-- What happened to accounts within a time: signing up, leaving, and the anniversaries of leaving.
with happened as (
    select
        account_id,
        created_at as occurred_at,
        'signup' as anchor,
        ':signup' as cause
    from staging.stg_accounts
    where coalesce(churned_at > %(now)s, true)
    union all
    -- The day is part of the cause: whoever returns and leaves again has left twice.
    select
        account_id,
        churned_at as occurred_at,
        'churn' as anchor,
        ':churn:' || (churned_at at time zone 'UTC')::date as cause
    from staging.stg_accounts
    union all
    select
        accounts.account_id,
        accounts.churned_at + make_interval(years => passed.years) as occurred_at,
        'churn_anniversary' as anchor,
        ':churn:' || (accounts.churned_at at time zone 'UTC')::date || ':' || passed.years as cause
    from staging.stg_accounts as accounts
    inner join generate_series(1, 30) as passed (years)
        on accounts.churned_at + make_interval(years => passed.years) between %(since)s and %(now)s
)

select
    'lifecycle:' || account_id || cause as trigger_key,
    'lifecycle' as kind,
    account_id,
    account_id as subject_id,
    null::date as week,
    occurred_at,
    (occurred_at at time zone 'UTC')::date as anchor_on,
    jsonb_build_object('anchor', anchor) as facts
from happened
where
    occurred_at > %(since)s
    and occurred_at <= %(now)s
order by occurred_at, account_id
