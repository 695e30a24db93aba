select
    moments.as_of,
    invoices.account_id,
    invoices.invoice_id as entity,
    cast({{ utc_day('moments.as_of') }} - invoices.due_on as double precision) as measured,
    parameters.days as held_against,
    jsonb_build_object('amount', invoices.amount, 'due_on', invoices.due_on) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_invoices') }} as invoices
    on {{ utc_day('moments.as_of') }} > invoices.due_on
inner join {{ ref('int_accounts_over_time') }} as accounts
    on invoices.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('invoice_overdue', {'days': 10}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ utc_day('moments.as_of') }} - invoices.due_on >= parameters.days
    and coalesce(invoices.paid_at > moments.as_of, true)
    and {{ was_known('invoices._loaded_at', utc_midnight('invoices.issued_on'), 'moments.as_of') }}
