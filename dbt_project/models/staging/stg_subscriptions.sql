select
    subscription_id,
    account_id,
    coalesce(product, '') as product,
    plan,
    tier,
    seats,
    mrr,
    started_on,
    ended_on,
    renews_on,
    coalesce(auto_renew, false) as auto_renew,
    billing_months,
    coalesce(is_trial, false) as is_trial,
    coalesce(is_addon, false) as is_addon,
    _loaded_at,
    _load_id
from {{ as_known(source('raw', 'subscriptions')) }}
