select
    request_id,
    account_id,
    requested_at,
    withdrawn_at,
    reason,
    _loaded_at,
    _load_id
from {{ source_or_absent('cancellation_requests') }}
