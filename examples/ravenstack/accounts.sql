-- Dates are DD-MM-YYYY: they are turned around as text, so that one that is no date is put aside by the contract.
-- A customer has left when both sources say so: the flag of the account, and an event that dates it.
with last_churn as (
    select account_id, max(to_date(churn_date, 'DD-MM-YYYY')) as churned_on
    from landing.ravenstack_churn_events
    group by account_id
)

select
    accounts.account_id,
    accounts.account_name,
    regexp_replace(accounts.signup_date, '^(\d\d)-(\d\d)-(\d{4})$', '\3-\2-\1') as created_at,
    case when accounts.churn_flag::boolean then last_churn.churned_on::timestamptz end as churned_at,
    case accounts.plan_tier when 'Basic' then 'starter' else lower(accounts.plan_tier) end as tier,
    accounts.plan_tier as plan,
    accounts.industry,
    case accounts.country when 'UK' then 'GB' else accounts.country end as country
from landing.ravenstack_accounts as accounts
left join last_churn using (account_id)
