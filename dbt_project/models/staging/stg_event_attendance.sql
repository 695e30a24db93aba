select
    attendance_id,
    account_id,
    user_id,
    kind,
    title,
    occurred_at,
    coalesce(has_attended, true) as has_attended,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'occurred_at') }} as known_from
from {{ source_or_absent('event_attendance') }}
