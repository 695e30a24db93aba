select
    invoice_id,
    account_id,
    issued_on,
    due_on,
    amount,
    paid_at,
    _loaded_at,
    _load_id
from {{ source_or_absent('invoices') }}
