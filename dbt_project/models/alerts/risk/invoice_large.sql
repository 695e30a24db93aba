select
    moments.as_of,
    invoices.account_id,
    invoices.invoice_id as entity,
    invoices.amount as measured,
    parameters.amount as held_against,
    jsonb_build_object(
        'due_on', invoices.due_on,
        'issued_on', invoices.issued_on
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_invoices') }} as invoices
    on {{ utc_day('moments.as_of') }} >= invoices.issued_on
inner join {{ ref('int_accounts_over_time') }} as accounts
    on invoices.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('invoice_large', {'amount': 10000}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    invoices.amount > parameters.amount
    and coalesce(invoices.paid_at > moments.as_of, true)
    and {{ was_known('invoices._loaded_at', utc_midnight('invoices.issued_on'), 'moments.as_of') }}
