select
    ticket_id,
    account_id,
    user_id,
    created_at,
    priority,
    first_responded_at,
    resolved_at,
    csat,
    csat_scale,
    coalesce(is_escalated, false) as is_escalated,
    subject,
    _loaded_at,
    _load_id
from {{ source_or_absent('tickets') }}
