-- What our own tables say of triggers that are offered to a playbook, in their order.
select
    exists(
        select 1
        from cs.kill_switches as switches
        where
            (switches.scope = 'playbook' and switches.name = %(playbook)s)
            or (switches.scope = 'account' and switches.name = offered.account_id)
    ) as is_stopped,
    exists(
        select 1
        from cs.enrolments as ended
        where
            ended.playbook = %(playbook)s
            and ended.account_id = offered.account_id
            and coalesce(ended.subscription_id = offered.subject_id, true)
            and coalesce(ended.user_id = offered.user_id, true)
            and ended.status in ('completed', 'exited')
            and ended.ended_at > %(now)s - make_interval(days => %(reentry_after_days)s)
    ) as is_too_soon,
    exists(
        select 1
        from cs.enrolments as active
        inner join cs.playbooks as versions
            on active.playbook = versions.playbook and active.playbook_version = versions.playbook_version
        where
            active.account_id = offered.account_id
            and active.family = %(family)s
            and active.status = 'active'
            and (versions.definition ->> 'priority')::integer >= %(priority)s
            -- Plays about two subscriptions, or two users, of an account do not stand in each other's way.
            and coalesce(active.subscription_id = offered.subject_id, true)
            and coalesce(active.user_id = offered.user_id, true)
    ) as is_taken
from
    unnest(%(account_ids)s::text[], %(subject_ids)s::text[], %(user_ids)s::text[])
    with ordinality as offered (account_id, subject_id, user_id, position)
order by offered.position
