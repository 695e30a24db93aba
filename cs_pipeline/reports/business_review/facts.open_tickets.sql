select
    subject,
    priority,
    created_at::date as opened_on
from staging.stg_tickets
where
    account_id = %(account)s
    and created_at < %(as_of)s
    and coalesce(resolved_at >= %(as_of)s, true)
    and coalesce(_loaded_at < %(as_of)s, true)
order by array_position(array['critical', 'high', 'normal', 'low'], priority), created_at, ticket_id
