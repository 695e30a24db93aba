-- What the model said the week before, in place of what was just written. What people set for the week still counts.
update {scores} as held
set
    status = 'held',
    held_from = coalesce(before.held_from, before.week),
    score = coalesce(
        (
            select score_overrides.score
            from cs.score_overrides
            where score_overrides.override_id = held.override_id
        ),
        before.said
    ),
    band = case when held.override_id is null then before.said_band else held.band end,
    severity = case when held.override_id is null then before.said_severity else held.severity end,
    model_score = case when held.override_id is not null then before.said end,
    model_band = case when held.override_id is not null then before.said_band end,
    coverage = before.coverage,
    metric_values = before.metric_values,
    points = before.points,
    contributions = before.contributions,
    points_lost_to_cap = before.points_lost_to_cap,
    dimension_scores = before.dimension_scores,
    risks = before.risks,
    opportunities = before.opportunities,
    carried = before.carried,
    weeks_in_band = before.weeks_in_band,
    leaning = before.leaning
from (
    select
        account_id,
        model,
        model_version,
        held_from,
        week,
        coverage,
        metric_values,
        points,
        contributions,
        points_lost_to_cap,
        dimension_scores,
        risks,
        opportunities,
        carried,
        weeks_in_band,
        leaning,
        case when override_id is null then score else model_score end as said,
        case when override_id is null then band else model_band end as said_band,
        case when override_id is null then severity else ($2::jsonb ->> model_band)::smallint end as said_severity
    from {scores}
    where week = $1::date
) as before
where
    {rows}
    and before.account_id = held.account_id
    and before.model = held.model
    and before.model_version = held.model_version
    and before.said is not null
