select
    event_id,
    account_id,
    user_id,
    occurred_at,
    event_name,
    feature,
    page,
    coalesce(quantity, 1) as quantity,
    duration_seconds,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'occurred_at') }} as known_from
from {{ as_known(source('raw', 'events')) }}
