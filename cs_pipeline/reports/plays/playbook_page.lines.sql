-- Playbooks at a glance: what runs, what came in lately, what waits, what went out (see playbook_page.py).
-- Playbook by playbook, so that indexes find who is in it, what waits and what is of late: most is long over.
with playbooks as (
    select known.playbook
    from (select distinct versions.playbook from cs.playbooks as versions) as known
    where exists (
        select 1 from cs.enrolments as enrolments
        where enrolments.playbook = known.playbook
    )
),

plays as (
    select
        playbooks.playbook,
        counted.running,
        counted.held_out,
        lately.enrolled,
        lately.refused
    from playbooks
    cross join
        lateral (
            select
                count(*) filter (where enrolments.status = 'active')::integer as running,
                count(*) filter (where enrolments.reason = 'hold_out')::integer as held_out
            from cs.enrolments as enrolments
            where
                enrolments.playbook = playbooks.playbook
                and (enrolments.status = 'active' or enrolments.reason = 'hold_out')
        ) as counted
    cross join
        lateral (
            select
                count(*) filter (where enrolments.status <> 'refused')::integer as enrolled,
                count(*) filter (
                    where enrolments.status = 'refused' and enrolments.reason not in ('trigger', 'hold_out')
                )::integer as refused
            from cs.enrolments as enrolments
            where enrolments.playbook = playbooks.playbook and enrolments.enrolled_at > %(since)s
        ) as lately
),

taken as (
    select
        playbooks.playbook,
        counted.planned,
        counted.awaiting,
        counted.sent,
        counted.suppressed
    from playbooks
    cross join
        lateral (
            select
                count(actions.enrolment_id) filter (where actions.status = 'planned')::integer as planned,
                count(actions.enrolment_id) filter (where actions.status = 'awaiting_approval')::integer as awaiting,
                count(actions.enrolment_id) filter (where actions.status = 'sent')::integer as sent,
                count(actions.enrolment_id) filter (where actions.status = 'suppressed')::integer as suppressed
            from cs.actions as actions
            where
                actions.playbook = playbooks.playbook
                and (
                    actions.status in ('planned', 'awaiting_approval')
                    or (actions.status in ('sent', 'suppressed') and actions.due_at > %(since)s)
                )
        ) as counted
)

select
    plays.playbook,
    plays.running,
    plays.enrolled,
    plays.held_out,
    plays.refused,
    coalesce(taken.planned, 0) as planned,
    coalesce(taken.awaiting, 0) as awaiting,
    coalesce(taken.sent, 0) as sent,
    coalesce(taken.suppressed, 0) as suppressed
from plays
left join taken on plays.playbook = taken.playbook
