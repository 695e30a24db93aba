-- How many accounts have which part of each metric's points, and which score, in weeks of model versions. Bin -1 is
-- unknown. Scores that are held say nothing of their week.
with rows_of_weeks as (

    select
        scores.week,
        scores.model,
        scores.model_version,
        scores.points,
        case when scores.override_id is null then scores.score else scores.model_score end as score,
        models.metrics,
        models.max_points
    from cs.health_scores as scores
    inner join (values {weeks}) as missing (week, model, model_version)
        on
            scores.week = missing.week
            and scores.model = missing.model
            and scores.model_version = missing.model_version
    inner join cs.score_models as models
        on scores.model = models.model and scores.model_version = models.model_version
    where scores.status <> 'held'

),

binned as (

    select
        rows_of_weeks.week,
        rows_of_weeks.model,
        rows_of_weeks.model_version,
        parts.metric,
        coalesce(floor(10 * least(parts.points / nullif(parts.most, 0), 1)), -1)::smallint as bin
    from rows_of_weeks
    cross join
        lateral unnest(rows_of_weeks.metrics, rows_of_weeks.max_points, rows_of_weeks.points) as parts (
            metric, most, points
        )

    union all

    select
        week,
        model,
        model_version,
        'score' as metric,
        coalesce(floor(score / 10), -1)::smallint as bin
    from rows_of_weeks

)

insert into cs.score_distributions (week, model, model_version, metric, bin, accounts)
select
    week,
    model,
    model_version,
    metric,
    bin,
    count(*) as accounts
from binned
group by week, model, model_version, metric, bin
