select
    response_id,
    account_id,
    user_id,
    survey,
    score,
    scale_max,
    responded_at,
    comment,
    asked_by,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'responded_at') }} as known_from
from {{ source_or_absent('survey_responses') }}
