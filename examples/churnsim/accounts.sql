-- An account is a customer until its last period ends with none after it. Periods were simulated until 1 January 2026:
-- one that ends later still runs.
with periods as (
    select
        account_id,
        min(start_date::date) as first_started_on,
        max(end_date::date) as last_ended_on,
        (array_agg(product order by start_date::date desc) filter (where units = 'users'))[1] as latest_base
    from landing.subscription
    group by account_id
)

select
    account.id as account_id,
    format('Account %s', account.id) as account_name,
    periods.first_started_on::timestamptz as created_at,
    case when periods.last_ended_on < '2026-01-01' then periods.last_ended_on::timestamptz end as churned_at,
    case split_part(periods.latest_base, '_', 1)
        when 'starter' then 'starter'
        when 'basic' then 'starter'
        when 'standard' then 'pro'
        when 'advanced' then 'pro'
        when 'premier' then 'enterprise'
    end as tier,
    split_part(periods.latest_base, '_', 1) as plan,
    case when account.country is not null then 'US' end as country,
    case
        when account.country in ('CA', 'WA', 'OR', 'NV') then 'America/Los_Angeles'
        when account.country in ('AZ') then 'America/Phoenix'
        when account.country in ('CO', 'UT', 'NM') then 'America/Denver'
        when account.country in ('TX', 'IL', 'MN', 'WI', 'MO', 'LA', 'AL', 'OK', 'IA', 'KS', 'AR', 'MS', 'TN')
            then 'America/Chicago'
        when account.country is not null then 'America/New_York'
    end as timezone,
    format('csm-%s@example.com', account.id::integer % 4 + 1) as owner_email,
    'success-lead@example.com' as manager_email
from landing.account
left join periods on periods.account_id = account.id
