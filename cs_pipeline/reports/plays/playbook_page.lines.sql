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

-- Playbook by playbook, so that an index finds what waits and what is of late: most actions went out long ago.
taken as (
    select
        playbooks.playbook,
        counted.planned,
        counted.awaiting,
        counted.sent,
        counted.suppressed
    from (select distinct known.playbook from cs.playbooks as known) as playbooks
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
