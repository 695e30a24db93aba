-- Only the day of opening is known (00:00, which is what resolution_time_hours counts from). Tickets before the sign-up
-- are kept: prospects ask, too.
select
    ticket_id,
    account_id,
    to_date(submitted_at, 'DD-MM-YYYY')::timestamptz as created_at,
    case priority when 'urgent' then 'critical' when 'medium' then 'normal' else priority end as priority,
    to_date(submitted_at, 'DD-MM-YYYY')::timestamptz + make_interval(mins => first_response_time_minutes::integer)
        as first_responded_at,
    regexp_replace(closed_at, '^(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d)$', '\3-\2-\1 \4') as resolved_at,
    satisfaction_score::double precision as csat,
    case when satisfaction_score is not null then 5::double precision end as csat_scale,
    escalation_flag::boolean as is_escalated
from landing.ravenstack_support_tickets
