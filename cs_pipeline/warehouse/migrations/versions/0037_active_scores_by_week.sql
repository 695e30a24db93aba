-- The scores that count, week by week: what alert rules ask of a week, and a replay of a year. Beside them stand those
-- of every other model that is computed.
create index health_scores_active_by_week on cs.health_scores (week) where is_active;
