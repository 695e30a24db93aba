-- Every row is a billing period, so every row is an invoice over its months. Payments are not in the data: periods are
-- taken as paid in advance, since the simulator starts none that is not.
select
    account_id || '-' || product || '-' || start_date as invoice_id,
    account_id,
    start_date::date as issued_on,
    start_date::date as due_on,
    mrr::double precision * bill_period_months::integer as amount,
    start_date::date::timestamptz as paid_at
from landing.subscription
