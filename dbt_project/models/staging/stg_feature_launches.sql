select
    launch_id,
    feature,
    launched_on,
    tier,
    _loaded_at,
    _load_id
from {{ source_or_absent('feature_launches') }}
