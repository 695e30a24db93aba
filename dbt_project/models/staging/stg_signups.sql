select
    signup_id,
    created_at,
    source,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'created_at') }} as known_from
from {{ source_or_absent('signups') }}
