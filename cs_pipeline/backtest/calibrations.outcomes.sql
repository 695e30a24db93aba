-- What became of accounts by their score in past weeks: each account once in {every_weeks} weeks, in weeks of its own.
-- The score is the model's, whatever a person set in its place.
with outcomes as ({outcomes}),

looked_at as (

    select
        scores.week,
        scores.model,
        scores.model_version,
        scores.account_id,
        case when scores.override_id is null then scores.score else scores.model_score end as score
    from cs.health_scores as scores
    inner join (values {weeks}) as missing (week, model, model_version)
        on
            scores.week = missing.week
            and scores.model = missing.model
            and scores.model_version = missing.model_version
    where
        ('x' || left(md5(scores.account_id), 7))::bit(28)::integer % {every_weeks}
        = (scores.week - date '1970-01-05') / 7 % {every_weeks}

)

insert into cs.score_outcomes (week, model, model_version, score, observations, departures)
select
    looked_at.week,
    looked_at.model,
    looked_at.model_version,
    floor(looked_at.score)::smallint as score,
    count(*) as observations,
    count(*) filter (where outcomes.departs_on < looked_at.week + 7 + {within_days}) as departures
from looked_at
inner join outcomes on looked_at.account_id = outcomes.account_id
where
    looked_at.score is not null
    and (outcomes.departs_on is null or outcomes.departs_on >= looked_at.week + 7)
group by looked_at.week, looked_at.model, looked_at.model_version, floor(looked_at.score)
