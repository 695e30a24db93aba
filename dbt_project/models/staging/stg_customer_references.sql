select
    reference_id,
    account_id,
    user_id,
    kind,
    asked_at,
    provided_at,
    cost,
    satisfaction,
    decided_at,
    is_won,
    won_mrr,
    _loaded_at,
    _load_id
from {{ source_or_absent('customer_references') }}
