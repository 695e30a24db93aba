-- Every account of the newest scored week (see account_overview.py).
insert into cs.account_overview (
    account_id, account_name, week, score, band, severity, change, previous_band, arr, tier, plan, industry,
    lifecycle_stage, owner_email, renewal_date, renewal_type, has_cancellation_request, last_touch_on, is_at_risk
)
select
    weeks.account_id,
    coalesce(weeks.account_name, weeks.account_id),
    weeks.week,
    scores.score,
    scores.band,
    scores.severity,
    coalesce(changes.delta, 0),
    changes.from_band,
    coalesce(weeks.arr, 0),
    weeks.tier,
    weeks.plan,
    weeks.industry,
    weeks.lifecycle_stage,
    weeks.owner_email,
    weeks.renewal_date,
    weeks.renewal_type,
    coalesce(weeks.has_cancellation_request, false),
    weeks.week + 7 - weeks.days_since_last_touchpoint::integer,
    coalesce(scores.is_at_risk, false)
from marts.fct_account_weeks as weeks
left join cs.active_scores as scores
    on weeks.account_id = scores.account_id and weeks.week = scores.week
left join cs.score_changes as changes
    on
        scores.account_id = changes.account_id
        and scores.week = changes.week
        and scores.model = changes.model
        and scores.model_version = changes.model_version
where weeks.week = (select max(scored_weeks.week) from cs.scored_weeks)
