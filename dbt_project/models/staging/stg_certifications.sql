select
    certification_id,
    account_id,
    user_id,
    level,
    earned_at,
    expires_on,
    _loaded_at,
    _load_id
from {{ source_or_absent('certifications') }}
