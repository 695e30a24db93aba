select
    user_id,
    account_id,
    cs.address_of(email) as email,
    full_name,
    created_at,
    deleted_at,
    timezone,
    unsubscribed_at,
    onboarding_stage,
    _loaded_at,
    _load_id
from {{ as_known(source('raw', 'users')) }}
