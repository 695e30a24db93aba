-- One account at a moment: its newest week that had ended by then, score, last contact, next step, alerts and plays.
with account as (
    select
        account_id,
        account_name,
        created_at,
        tier
    from marts.dim_accounts
    where (account_id = %(account)s or account_name = %(account)s) and created_at <= %(as_of)s
    order by (account_id = %(account)s) desc, account_id
    limit 1
),

newest_week as (
    select weeks.*
    from account
    inner join marts.fct_account_weeks as weeks using (account_id)
    where weeks.week <= %(as_of)s::date - 7
    order by weeks.week desc
    limit 1
),

score as (
    select
        scores.account_id,
        scores.week,
        scores.score,
        scores.band,
        scores.severity,
        coalesce(scores.is_at_risk, false) as is_at_risk,
        scores.likelihood,
        scores.likelihood_low,
        scores.likelihood_high
    from account
    inner join cs.active_scores as scores using (account_id)
    where scores.week <= %(as_of)s::date - 7 and scores.week > %(as_of)s::date - 42
    order by scores.week desc
    limit 1
),

last_contact as (
    select
        max(touchpoints.held_at) as held_at,
        (array_agg(touchpoints.kind order by touchpoints.held_at desc))[1] as kind
    from account
    inner join staging.stg_touchpoints as touchpoints using (account_id)
    where
        touchpoints.held_at <= %(as_of)s
        and not touchpoints.is_missed
        and coalesce(touchpoints._loaded_at <= %(as_of)s, true)
),

running as (
    select
        enrolments.enrolment_id,
        enrolments.family,
        playbooks.definition ->> 'title' as title
    from account
    inner join cs.enrolments as enrolments using (account_id)
    inner join cs.playbooks as playbooks using (playbook, playbook_version)
    where
        enrolments.enrolled_at <= %(as_of)s
        and enrolments.status <> 'refused'
        and coalesce(enrolments.ended_at > %(as_of)s, enrolments.status = 'active')
),

plays as (
    select
        array_agg(distinct title) as titles,
        bool_or(family = 'expansion') as is_expanding
    from running
),

next_step as (
    select
        actions.step,
        actions.channel,
        actions.role,
        coalesce(tasks.due_on, (actions.due_at at time zone 'UTC')::date) as due_on,
        case
            when actions.sent_at <= %(as_of)s then 'to be completed'
            when actions.status = 'awaiting_approval' then 'to be approved'
            else ''
        end as waits_for
    from running
    inner join cs.actions as actions on running.enrolment_id = actions.enrolment_id
    left join cs.task_status as tasks on actions.action_key = tasks.action_key
    where
        actions.status in ('planned', 'awaiting_approval')
        or actions.sent_at > %(as_of)s
        or (
            actions.sent_at <= %(as_of)s
            and tasks.kind = 'task'
            and coalesce(tasks.completed_at > %(as_of)s, tasks.status = 'open')
        )
    order by actions.due_at, actions.action_id
    limit 1
),

-- The state in which each alert was at the moment is that of its last change before it.
alert_states as (
    select distinct on (changes.alert_id)
        changes.alert_id,
        changes.to_state
    from account
    inner join cs.alert_changes as changes using (account_id)
    where changes.as_of <= %(as_of)s
    order by changes.alert_id asc, changes.as_of desc, changes.change_id desc
),

open_alerts as (
    select
        jsonb_agg(
            to_jsonb(alerts) || jsonb_build_object(
                'person', cs.person_of_alert(alerts.account_id, alerts.entity, alerts.facts)
            )
            order by
                array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity),
                alerts.fired_at desc,
                alerts.alert_id asc
        ) as alerts,
        bool_or(alerts.severity = 'urgent') as is_urgent
    from alert_states
    inner join cs.alerts as alerts using (alert_id)
    where alert_states.to_state in ('firing', 'recovering') and not alerts.is_held and alerts.inhibited_by is null
)

select
    account.account_id,
    account.account_name,
    coalesce(newest_week.tier, account.tier) as tier,
    newest_week.week as of_week,
    newest_week.lifecycle_stage,
    newest_week.arr,
    newest_week.owner_email,
    newest_week.renewal_date,
    newest_week.renewal_date - %(as_of)s::date as days_to_renewal,
    coalesce(newest_week.has_cancellation_request, false) as has_cancellation_request,
    score.week as scored_week,
    score.score,
    score.band,
    score.severity,
    coalesce(score.is_at_risk, false) as is_at_risk,
    score.likelihood,
    score.likelihood_low,
    score.likelihood_high,
    changes.from_score,
    coalesce(changes.driver_metrics, '{}') as driver_metrics,
    coalesce(changes.driver_deltas, '{}') as driver_deltas,
    (last_contact.held_at at time zone 'UTC')::date as last_contact_on,
    last_contact.kind as last_contact_kind,
    next_step.step as next_step,
    next_step.due_on as next_due_on,
    next_step.role as next_role,
    next_step.channel as next_channel,
    next_step.waits_for as next_waits_for,
    plays.titles as plays,
    coalesce(plays.is_expanding, false) as is_expanding,
    coalesce(open_alerts.alerts, '[]') as alerts,
    coalesce(open_alerts.is_urgent, false) as has_urgent_alert
from account
left join newest_week on account.account_id = newest_week.account_id
left join score on account.account_id = score.account_id
left join cs.score_changes as changes on score.account_id = changes.account_id and score.week = changes.week
left join last_contact on true
left join plays on true
left join next_step on true
left join open_alerts on true
