with

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

changes as (

    select * from {{ source('cs', 'score_changes') }}

),

weeks as (

    select * from {{ ref('fct_account_weeks') }}

),

at_risk as (

    select
        scores.week,
        scores.account_id,
        weeks.account_name,
        weeks.tier,
        weeks.industry,
        weeks.owner_email,
        coalesce(weeks.arr, 0) as arr,
        scores.score,
        scores.band,
        scores.severity,
        scores.likelihood as likelihood_90d,
        scores.likelihood_low as likelihood_90d_low,
        scores.likelihood_high as likelihood_90d_high,
        scores.likelihood * coalesce(weeks.arr, 0) as arr_expected_to_leave,
        coalesce(not week_before.is_at_risk, true) as is_new,
        changes.delta as score_change,
        array_to_string(changes.driver_metrics[1:3], ', ') as moved_by,
        weeks.renewal_date,
        weeks.days_to_renewal,
        weeks.days_since_last_touchpoint,
        coalesce(weeks.has_cancellation_request, false) as has_cancellation_request
    from scores
    inner join weeks
        on
            scores.account_id = weeks.account_id
            and scores.week = weeks.week
    left join scores as week_before
        on
            scores.account_id = week_before.account_id
            and week_before.week = scores.week - 7
    left join changes
        on
            scores.account_id = changes.account_id
            and scores.week = changes.week
    where scores.is_at_risk

)

select * from at_risk
