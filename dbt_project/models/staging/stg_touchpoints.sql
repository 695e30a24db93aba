select
    touchpoint_id,
    account_id,
    user_id,
    kind,
    scheduled_at,
    held_at,
    coalesce(is_missed, false) as is_missed,
    owner_email,
    _loaded_at,
    _load_id
from {{ source_or_absent('touchpoints') }}
