select
    value_id,
    account_id,
    recorded_on,
    amount,
    kind,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', "cast(recorded_on as timestamp) at time zone 'UTC'") }} as known_from
from {{ source_or_absent('value_log') }}
