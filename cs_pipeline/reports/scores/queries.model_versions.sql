with

counts as (

    select
        model,
        model_version,
        min(week) as first_week,
        max(week) as last_week,
        count(distinct week) as weeks,
        count(*) as rows,
        count(*) filter (where is_active) as counts_in,
        round(avg(score)::numeric, 1)::double precision as mean_score
    from cs.health_scores
    group by model, model_version

),

moments as (

    select
        model,
        model_version,
        max(scored_at) as scored_at
    from cs.scored_weeks
    group by model, model_version

)

select
    counts.model,
    counts.model_version as version,
    counts.first_week,
    counts.last_week,
    counts.weeks,
    counts.rows,
    counts.counts_in,
    counts.mean_score,
    moments.scored_at
from counts
left join moments using (model, model_version)
order by moments.scored_at asc nulls first, counts.model asc, counts.model_version asc
