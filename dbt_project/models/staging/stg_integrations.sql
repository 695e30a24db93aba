select
    integration_id,
    account_id,
    integration_name,
    connected_at,
    disconnected_at,
    _loaded_at,
    _load_id
from {{ source_or_absent('integrations') }}
