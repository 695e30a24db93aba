with

weeks as (

    select * from {{ ref('fct_account_weeks') }}

),

newest as (

    select max(week) as week
    from weeks

),

scores as (

    select
        account_id,
        week,
        score,
        band,
        severity,
        is_at_risk,
        likelihood,
        likelihood_low,
        likelihood_high
    from {{ active_scores() }}

),

open_alerts as (

    select
        account_id,
        count(*) as open_alerts,
        min(array_position(array['urgent', 'high', 'medium', 'low'], severity)) as place
    from cs.alerts
    where
        state in ('firing', 'recovering')
        and not is_held
        and inhibited_by is null
    group by account_id

),

plays as (

    select
        enrolments.account_id,
        string_agg(distinct playbooks.definition ->> 'title', ', ') as plays
    from cs.enrolments as enrolments
    inner join cs.playbooks as playbooks
        on
            enrolments.playbook = playbooks.playbook
            and enrolments.playbook_version = playbooks.playbook_version
    where enrolments.status = 'active'
    group by enrolments.account_id

),

cards as (

    select
        weeks.account_id,
        weeks.week,
        weeks.account_name,
        weeks.tier,
        weeks.plan,
        weeks.industry,
        weeks.country,
        weeks.owner_email,
        weeks.lifecycle_stage,
        weeks.tenure_days,
        coalesce(weeks.mrr, 0) as mrr,
        coalesce(weeks.arr, 0) as arr,
        weeks.seats,
        weeks.seat_utilisation,
        weeks.active_users_30d,
        weeks.feature_adoption_ratio,
        weeks.usage_growth,
        weeks.nps_response,
        weeks.open_tickets,
        scores.score,
        scores.band,
        scores.severity,
        coalesce(scores.is_at_risk, false) as is_at_risk,
        scores.likelihood as likelihood_90d,
        scores.likelihood_low as likelihood_90d_low,
        scores.likelihood_high as likelihood_90d_high,
        scores.likelihood * coalesce(weeks.arr, 0) as arr_expected_to_leave,
        scores.score - month_before.score as score_change_4w,
        weeks.renewal_date,
        weeks.renewal_type,
        weeks.days_to_renewal,
        weeks.days_since_last_touchpoint,
        coalesce(weeks.has_cancellation_request, false) as has_cancellation_request,
        coalesce(open_alerts.open_alerts, 0) as open_alerts,
        (array['urgent', 'high', 'medium', 'low'])[open_alerts.place] as worst_alert,
        plays.plays
    from weeks
    inner join newest on weeks.week = newest.week
    left join scores
        on
            weeks.account_id = scores.account_id
            and weeks.week = scores.week
    left join scores as month_before
        on
            weeks.account_id = month_before.account_id
            and month_before.week = weeks.week - 28
    left join open_alerts on weeks.account_id = open_alerts.account_id
    left join plays on weeks.account_id = plays.account_id

)

select * from cards
