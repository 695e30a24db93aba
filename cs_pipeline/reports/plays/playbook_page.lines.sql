-- Playbooks at a glance: what runs, what came in lately, what waits, what went out (see playbook_page.py).
with plays as (
    select
        enrolments.playbook,
        count(*) filter (where enrolments.status = 'active')::integer as running,
        count(*) filter (
            where enrolments.status <> 'refused' and enrolments.enrolled_at > %(since)s
        )::integer as enrolled,
        count(*) filter (where enrolments.reason = 'hold_out')::integer as held_out,
        count(*) filter (
            where
            enrolments.status = 'refused'
            and enrolments.enrolled_at > %(since)s
            and enrolments.reason not in ('trigger', 'hold_out')
        )::integer as refused
    from cs.enrolments as enrolments
    group by enrolments.playbook
),

taken as (
    select
        actions.playbook,
        count(*) filter (where actions.status = 'planned')::integer as planned,
        count(*) filter (where actions.status = 'awaiting_approval')::integer as awaiting,
        count(*) filter (where actions.status = 'sent' and actions.due_at > %(since)s)::integer as sent,
        count(*) filter (where actions.status = 'suppressed' and actions.due_at > %(since)s)::integer as suppressed
    from cs.actions as actions
    where actions.enrolment_id is not null
    group by actions.playbook
)

select
    coalesce(plays.playbook, taken.playbook) as playbook,
    coalesce(plays.running, 0) as running,
    coalesce(plays.enrolled, 0) as enrolled,
    coalesce(plays.held_out, 0) as held_out,
    coalesce(plays.refused, 0) as refused,
    coalesce(taken.planned, 0) as planned,
    coalesce(taken.awaiting, 0) as awaiting,
    coalesce(taken.sent, 0) as sent,
    coalesce(taken.suppressed, 0) as suppressed
from plays
full outer join taken on plays.playbook = taken.playbook
