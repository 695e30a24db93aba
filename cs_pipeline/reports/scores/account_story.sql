select
    scores.account_id,
    scores.week,
    scores.model,
    scores.model_version,
    scores.status,
    scores.score,
    scores.band,
    scores.severity,
    scores.model_score,
    scores.model_band,
    scores.override_id,
    scores.metric_values,
    scores.points,
    scores.contributions,
    scores.risks,
    scores.opportunities,
    scores.carried,
    scores.held_from,
    scores.likelihood,
    scores.likelihood_low,
    scores.likelihood_high,
    calibrations.observations as learned_from_observations,
    calibrations.departures as learned_from_departures,
    accounts.account_name,
    score_models.definition::text as definition,
    score_models.metrics,
    score_models.max_points,
    overrides.set_by,
    overrides.reason,
    overrides.until_week,
    changes.previous_week,
    changes.from_score,
    changes.from_band,
    changes.cause,
    changes.driver_metrics,
    changes.driver_deltas,
    changes.driver_causes,
    before.metric_values as values_before,
    before_models.metrics as metrics_before
from marts.dim_accounts as accounts
inner join cs.active_scores as scores on accounts.account_id = scores.account_id
inner join cs.score_models using (model, model_version)
left join cs.score_calibrations as calibrations using (week, model, model_version)
left join cs.score_overrides as overrides on scores.override_id = overrides.override_id
left join cs.score_changes as changes
    on scores.account_id = changes.account_id and scores.week = changes.week
left join cs.health_scores as before
    on changes.account_id = before.account_id and changes.previous_week = before.week and before.is_active
left join cs.score_models as before_models
    on before.model = before_models.model and before.model_version = before_models.model_version
where
    (accounts.account_id = $1 or accounts.account_name = $1)
    and scores.week = coalesce(nullif($2, '')::date, scores.week)
order by scores.week desc, accounts.account_id asc
limit 1
