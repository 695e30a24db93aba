select
    feedback_id,
    account_id,
    user_id,
    kind,
    created_at,
    resolved_at,
    body,
    feature,
    question,
    asked_by,
    _loaded_at,
    _load_id
from {{ source_or_absent('feedback') }}
