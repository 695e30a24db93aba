-- How many accounts have which part of each metric's points, and which score, in weeks of model versions. Bin -1 is
-- unknown. Scores that are held say nothing of their week. Accounts with the same points are counted first: of those
-- there are few.
with alike as (

    select
        scores.week,
        scores.model,
        scores.model_version,
        scores.points,
        coalesce(
            floor(case when scores.override_id is null then scores.score else scores.model_score end / 10), -1
        )::smallint as score_bin,
        count(*) as accounts
    from cs.health_scores as scores
    inner join (values {weeks}) as missing (week, model, model_version)
        on
            scores.week = missing.week
            and scores.model = missing.model
            and scores.model_version = missing.model_version
    where scores.status <> 'held'
    group by scores.week, scores.model, scores.model_version, scores.points, score_bin

),

binned as (

    select
        alike.week,
        alike.model,
        alike.model_version,
        parts.metric,
        coalesce(floor(10 * least(parts.points / nullif(parts.most, 0), 1)), -1)::smallint as bin,
        alike.accounts
    from alike
    inner join cs.score_models as models
        on alike.model = models.model and alike.model_version = models.model_version
    cross join
        lateral unnest(models.metrics, models.max_points, alike.points) as parts (metric, most, points)

    union all

    select
        week,
        model,
        model_version,
        'score' as metric,
        score_bin as bin,
        accounts
    from alike

)

insert into cs.score_distributions (week, model, model_version, metric, bin, accounts)
select
    week,
    model,
    model_version,
    metric,
    bin,
    sum(accounts) as accounts
from binned
group by week, model, model_version, metric, bin
