with missed as materialized (
    select
        action_id,
        enrolment_id,
        status,
        reason,
        %(now)s - min(due_at) over (partition by enrolment_id) as late_by
    from cs.actions
    where
        status = 'awaiting_approval'
        and reason = %(missed)s
        and (%(playbook)s::text is null or playbook = %(playbook)s)
),

kept as (
    insert into cs.action_decisions (
        action_id, decision, status_before, reason_before, decided_by, decided_at
    )
    select
        action_id,
        %(decision)s,
        status,
        reason,
        %(by)s,
        %(now)s
    from missed
),

moved as (
    update cs.actions
    set due_at = due_at + lateness.late_by, expires_at = expires_at + lateness.late_by
    from (select distinct
        enrolment_id,
        late_by
    from missed) as lateness
    where
        %(is_retimed)s
        and actions.enrolment_id = lateness.enrolment_id
        and actions.status = 'planned'
)

update cs.actions
set
    status = %(status)s,
    reason = %(reason)s,
    due_at = case when %(is_retimed)s then due_at + missed.late_by else due_at end,
    expires_at = greatest(
        expires_at, case when %(is_retimed)s then due_at + missed.late_by else %(now)s end + %(kept_for)s
    )
from missed
where actions.action_id = missed.action_id
