select
    subscription_id,
    account_id,
    coalesce(product, '') as product,
    plan,
    tier,
    seats,
    mrr,
    started_on,
    {{ not_for_ever('ended_on') }} as ended_on,
    {{ not_for_ever('renews_on') }} as renews_on,
    coalesce(auto_renew, false) as auto_renew,
    billing_months,
    coalesce(is_trial, false) as is_trial,
    coalesce(is_addon, false) as is_addon,
    _loaded_at,
    _load_id
from {{ as_known(source('raw', 'subscriptions')) }}
where ended_on is null or ended_on > started_on
