-- How many of each there are, up to 1,000 (see today.py).
select
    ({alerts}) as alerts,
    ({lesser_alerts}) as lesser_alerts,
    ({baseline_alerts}) as baseline_alerts,
    (
        select count(*)
        from (
            select 1
            from cs.crm_tasks as tasks
            where
                tasks.status <> 'completed'
                and tasks.kind = 'task'
                and tasks.due_on <= %(until)s
                and (%(owner)s::text is null or lower(tasks.assignee) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as due_tasks
    ) as tasks,
    (
        select count(*)
        from (
            select 1
            from cs.actions as actions
            left join cs.account_overview as overview using (account_id)
            where
                actions.status = 'awaiting_approval'
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as waiting_actions
    ) as approvals,
    (
        select count(*)
        from (
            select 1
            from cs.account_overview as overview
            where
                overview.is_at_risk
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as accounts_at_risk
    ) as at_risk,
    (
        select count(*)
        from (
            select 1
            from cs.account_overview as overview
            where
                overview.renewal_date between %(now)s::date and %(now)s::date + 90
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as near_renewals
    ) as renewals
