select
    agent_id,
    full_name,
    started_on,
    ended_on,
    _loaded_at,
    _load_id
from {{ source_or_absent('support_agents') }}
