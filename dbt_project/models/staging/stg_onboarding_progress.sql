select
    account_id,
    step,
    position,
    started_at,
    completed_at,
    coalesce(is_aha, false) as is_aha,
    _loaded_at,
    _load_id
from {{ source_or_absent('onboarding_progress') }}
