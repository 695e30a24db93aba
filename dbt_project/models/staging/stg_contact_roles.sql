select
    account_id,
    user_id,
    role,
    started_on,
    ended_on,
    _loaded_at,
    _load_id
from {{ source_or_absent('contact_roles') }}
