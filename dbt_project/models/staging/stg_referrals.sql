select
    referral_id,
    account_id,
    referred_at,
    converted_at,
    _loaded_at,
    _load_id
from {{ source_or_absent('referrals') }}
