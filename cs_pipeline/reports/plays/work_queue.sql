-- Customers in the order in which they deserve time: what is at stake is ARR times risk (see work_queue.py).
with scores as (
    select distinct on (account_id)
        account_id,
        week,
        score,
        band,
        severity
    from cs.health_scores
    where
        is_active
        and week <= %(today)s::date - 7
        and week > %(today)s::date - 42
        and (%(account_ids)s::text[] is null or account_id = any(%(account_ids)s::text[]))
    order by account_id asc, week desc
),

weeks as (
    select distinct on (account_id)
        account_id,
        renewal_date,
        has_cancellation_request
    from marts.fct_account_weeks
    where
        week <= %(today)s::date - 7
        and week > %(today)s::date - 42
        and (%(account_ids)s::text[] is null or account_id = any(%(account_ids)s::text[]))
    order by account_id asc, week desc
),

weighed as (
    select
        accounts.account_id,
        accounts.account_name,
        accounts.owner_email,
        coalesce(accounts.arr, 0) as arr,
        coalesce(accounts.is_bad_fit, false) as is_bad_fit,
        coalesce(weeks.has_cancellation_request, false) as has_cancellation_request,
        scores.week,
        scores.score,
        scores.band,
        scores.severity,
        weeks.renewal_date - %(today)s::date as days_to_renewal,
        case
            when weeks.has_cancellation_request then 1
            else coalesce((100 - scores.score) / 100, %(risk_unknown)s)
        end as risk
    from marts.dim_accounts as accounts
    left join scores using (account_id)
    left join weeks using (account_id)
    where
        accounts.created_at <= %(now)s
        and coalesce(accounts.churned_at > %(now)s, true)
        and (%(owner)s::text is null or lower(accounts.owner_email) = lower(%(owner)s))
        and (%(account_ids)s::text[] is null or accounts.account_id = any(%(account_ids)s::text[]))
),

chosen as (
    select
        *,
        arr * risk as at_stake
    from weighed
    order by at_stake desc, severity desc nulls last, account_id asc
    limit %(limit)s
),

held_back as (
    select
        chosen.account_id,
        array_agg(points.metric order by points.max_points - points.points desc, points.metric) as metrics
    from chosen
    inner join cs.score_points as points
        on chosen.account_id = points.account_id and chosen.week = points.week
    where points.is_active and points.points < points.max_points
    group by chosen.account_id
),

plays as (
    select
        chosen.account_id,
        array_agg(playbooks.definition ->> 'title' order by enrolments.enrolled_at) as titles
    from chosen
    inner join cs.enrolments using (account_id)
    inner join cs.playbooks using (playbook, playbook_version)
    where enrolments.status = 'active'
    group by chosen.account_id
),

-- Alerts that somebody should look at: the most severe ones, and how many there are.
ranked_alerts as (
    select
        chosen.account_id,
        chosen.account_name,
        alerts.rule,
        alerts.severity,
        alerts.entity,
        alerts.measured,
        alerts.held_against,
        alerts.facts,
        row_number() over (
            partition by chosen.account_id
            order by
                array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity) asc,
                alerts.fired_at desc,
                alerts.alert_id asc
        ) as place,
        count(*) over (partition by chosen.account_id) as open_alerts
    from chosen
    inner join cs.alerts as alerts using (account_id)
    where
        alerts.state in ('firing', 'recovering')
        and not alerts.is_held
        and not alerts.is_baseline
        and alerts.inhibited_by is null
        and coalesce(alerts.snoozed_until <= %(now)s, true)
),

alerts as (
    select
        account_id,
        max(open_alerts) as open_alerts,
        jsonb_agg(
            to_jsonb(ranked_alerts) || jsonb_build_object(
                'person', cs.person_of_alert(account_id, entity, facts)
            )
            order by place
        ) as alerts
    from ranked_alerts
    where place <= %(alerts_told)s
    group by account_id
),

next_actions as (
    select distinct on (chosen.account_id)
        chosen.account_id,
        concat(
            coalesce(tasks.due_on, (actions.due_at at time zone 'UTC')::date),
            ' ',
            replace(actions.step, '_', ' '),
            ' (',
            case
                when actions.status = 'sent' then 'to be completed'
                when actions.status = 'awaiting_approval' then 'to be approved'
                else actions.channel
            end,
            ', ',
            replace(actions.role, '_', ' '),
            ')'
        ) as next_action
    from chosen
    inner join cs.actions using (account_id)
    inner join cs.enrolments using (enrolment_id)
    -- For the steps of the chosen only: joined, every task there is would be read.
    left join lateral (
        select
            task_status.status,
            task_status.kind,
            task_status.due_on
        from cs.task_status
        where task_status.action_key = actions.action_key
        order by task_status.task_id
        limit 1
    ) as tasks on true
    where
        enrolments.status = 'active'
        and (
            actions.status in ('planned', 'awaiting_approval')
            or (actions.status = 'sent' and tasks.status = 'open' and tasks.kind = 'task')
        )
    order by chosen.account_id, actions.due_at, actions.action_id
)

select
    chosen.account_id,
    chosen.account_name,
    chosen.owner_email,
    chosen.arr,
    chosen.score,
    chosen.band,
    chosen.severity,
    chosen.risk,
    chosen.at_stake,
    chosen.is_bad_fit,
    chosen.has_cancellation_request,
    coalesce(held_back.metrics, '{}') as held_back_by,
    chosen.days_to_renewal,
    coalesce(plays.titles, '{}') as plays,
    next_actions.next_action,
    coalesce(alerts.alerts, '[]') as alerts,
    coalesce(alerts.open_alerts, 0) as open_alerts
from chosen
left join held_back using (account_id)
left join plays using (account_id)
left join next_actions using (account_id)
left join alerts using (account_id)
order by chosen.at_stake desc, chosen.severity desc nulls last, chosen.account_id asc
