-- How many of each there are, up to 1,000 (see today.py).
select
    (
        select count(*)
        from (
            select 1
            from cs.alerts as alerts
            left join cs.account_overview as overview using (account_id)
            where
                alerts.severity in ('urgent', 'high')
                and not alerts.is_baseline
                and alerts.state in ('firing', 'recovering')
                and not alerts.is_held
                and alerts.inhibited_by is null
                and alerts.acknowledged_at is null
                and coalesce(alerts.snoozed_until <= %(now)s, true)
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as pressing_alerts
    ) as alerts,
    (
        select count(*)
        from (
            select 1
            from cs.alerts as alerts
            left join cs.account_overview as overview using (account_id)
            where
                alerts.severity in ('medium', 'low')
                and not alerts.is_baseline
                and alerts.state in ('firing', 'recovering')
                and not alerts.is_held
                and alerts.inhibited_by is null
                and alerts.acknowledged_at is null
                and coalesce(alerts.snoozed_until <= %(now)s, true)
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as lesser_alerts
    ) as lesser_alerts,
    (
        select count(*)
        from (
            select 1
            from cs.alerts as alerts
            left join cs.account_overview as overview using (account_id)
            where
                alerts.is_baseline
                and alerts.state in ('firing', 'recovering')
                and not alerts.is_held
                and alerts.inhibited_by is null
                and alerts.acknowledged_at is null
                and coalesce(alerts.snoozed_until <= %(now)s, true)
                and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
            limit 1000  -- noqa: AM09
        ) as baseline_alerts
    ) as baseline_alerts,
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
