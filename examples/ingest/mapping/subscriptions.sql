select
    id::text as subscription_id,
    company_id::text as account_id,
    plan,
    case plan when 'basic' then 'starter' when 'team' then 'pro' else 'enterprise' end as tier,
    seats,
    euros_a_month as mrr,
    begins as started_on,
    renews as renews_on,
    to_timestamp(_dlt_load_id::double precision) as _changed_at
from landing_shop.contracts
