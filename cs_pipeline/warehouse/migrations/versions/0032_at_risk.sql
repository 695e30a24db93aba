create or replace view cs.active_scores as
select
    scores.*, -- noqa: AM04
    scores.severity >= coalesce((models.definition ->> 'at_risk_from')::integer, 2) as is_at_risk
from cs.health_scores as scores
left join cs.score_models as models
    on scores.model = models.model and scores.model_version = models.model_version
where scores.is_active;
comment on column cs.active_scores.is_at_risk is
'Whether its model calls the account at risk (at_risk_from, C-10); null where it has no score.';
