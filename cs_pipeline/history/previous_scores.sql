-- The scores of a week that count under one version of a model, with the score before each in the columns from_….
-- That is the score of the week before, or else the latest since {look_back}.
select
    scores.account_id,
    scores.score,
    scores.band,
    scores.severity,
    scores.metric_values,
    scores.override_id::text as override_id,
    coalesce(last_week.override_id, gap.override_id)::text as from_override_id,
    -- By the model itself: a person may have set the score of a row in which the model has none.
    scores.score is not null
    and (scores.override_id is null or scores.model_score is not null) as is_scored_by_model,
    case
        when last_week.account_id is not null
            then last_week.override_id is null or last_week.model_score is not null
        when gap.account_id is not null
            then gap.override_id is null or gap.model_score is not null
    end as was_scored_by_model,
    coalesce(last_week.week, gap.week) as from_week,
    coalesce(last_week.score, gap.score) as from_score,
    coalesce(last_week.band, gap.band) as from_band,
    coalesce(last_week.severity, gap.severity) as from_severity,
    coalesce(last_week.model, gap.model) as from_model,
    coalesce(last_week.model_version, gap.model_version) as from_model_version,
    coalesce(last_week.metric_values, gap.metric_values) as from_metric_values,
    coalesce(last_week.contributions, gap.contributions) as from_contributions
from cs.health_scores as scores
left join cs.health_scores as last_week
    on
        scores.account_id = last_week.account_id
        and last_week.week = {last_week}
        and last_week.is_active
        and last_week.score is not null
left join lateral (
    select before.*
    from cs.health_scores as before
    where
        last_week.account_id is null
        and before.account_id = scores.account_id
        and before.is_active
        and before.score is not null
        and before.week >= {look_back}
        and before.week < {last_week}
    order by before.week desc
    limit 1
) as gap on true
where
    scores.week = {week}
    and scores.is_active
    and scores.model = {model}
    and scores.model_version = {version}
    and (scores.score is not null or last_week.account_id is not null)
    and {in_scope}
