with before as (
    select
        action_id,
        status,
        reason
    from cs.actions
    where action_id = any(%(ids)s::bigint[])
),

decided as (
    insert into cs.action_decisions (
        action_id, decision, status_before, reason_before, decided_by, decided_at
    )
    select
        action_id,
        %(verb)s,
        status,
        reason,
        %(by)s,
        %(now)s
    from before
)

update cs.actions
set
    status = %(to)s,
    reason = %(reason)s,
    due_at = case when %(again)s then %(now)s else due_at end,
    expires_at = case
        when %(again)s
            then %(now)s + make_interval(days => coalesce(
                (
                    select (playbooks.definition ->> 'stale_after_days')::integer
                    from cs.enrolments
                    inner join cs.playbooks using (playbook, playbook_version)
                    where enrolments.enrolment_id = actions.enrolment_id
                ),
                %(days_of_a_notice)s
            ))
        else expires_at
    end,
    resent_at = case when %(again)s then %(now)s else resent_at end,
    sent_at = case when %(again)s then null else sent_at end
where actions.action_id = any(%(ids)s::bigint[])
