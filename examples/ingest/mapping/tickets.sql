select
    'desk-' || id as ticket_id,
    company::text as account_id,
    opened_at as created_at,
    case when urgent then 'critical' else 'normal' end as priority,
    solved_at as resolved_at,
    subject,
    requester as _email,
    to_timestamp(_dlt_load_id::double precision) as _changed_at
from landing_desk.tickets
