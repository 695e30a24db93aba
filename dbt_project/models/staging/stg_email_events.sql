select
    email_event_id,
    account_id,
    user_id,
    cs.address_of(email) as email,
    message_id,
    event,
    occurred_at,
    campaign,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'occurred_at') }} as known_from
from {{ source_or_absent('email_events') }}
