select
    order_id,
    account_id,
    user_id,
    created_at,
    amount,
    _loaded_at,
    _load_id,
    {{ known_from('_loaded_at', 'created_at') }} as known_from
from {{ source_or_absent('orders') }}
