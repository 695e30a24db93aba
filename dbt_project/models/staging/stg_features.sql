select
    feature,
    feature_name,
    coalesce(is_core, false) as is_core,
    coalesce(is_critical, false) as is_critical,
    released_on,
    _loaded_at,
    _load_id
from {{ source_or_absent('features') }}
