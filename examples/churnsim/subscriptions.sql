-- One row a billing period, as in the data. Plans sold by users are the base, the rest are add-ons. Monthly periods have
-- no term: nothing renews. A half-year or a year is one, and renews by itself, since no row says that anybody signed.
select
    account_id || '-' || product || '-' || start_date as subscription_id,
    account_id,
    case when units = 'users' then 'crm' else product end as product,
    case when units = 'users' then split_part(product, '_', 1) else product end as plan,
    case split_part(product, '_', 1)
        when 'starter' then 'starter'
        when 'basic' then 'starter'
        when 'standard' then 'pro'
        when 'advanced' then 'pro'
        when 'premier' then 'enterprise'
    end as tier,
    case when units = 'users' then quantity::integer end as seats,
    mrr::double precision as mrr,
    start_date::date as started_on,
    case when end_date::date < '2026-01-01' then end_date::date end as ended_on,
    case when bill_period_months::integer > 1 then end_date::date end as renews_on,
    true as auto_renew,
    bill_period_months::integer as billing_months,
    false as is_trial,
    units <> 'users' as is_addon
from landing.subscription
