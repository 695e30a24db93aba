-- Stored scores that count, beside what comes of what was known then. Scores are the model's, whatever a person set.
with

stored as (

    select
        *,
        case when override_id is null then score else model_score end as own_score,
        case when override_id is null then band else model_band end as own_band
    from cs.health_scores
    where is_active and week between $1::date and $2::date

),

known as (

    -- An account that no stored week has is there once for each model: one of them is enough to tell.
    select distinct on (scores.week, scores.account_id) scores.*
    from {scratch_scores} as scores
    left join stored using (week, account_id)
    where
        scores.week between $1::date and $2::date
        and (
            stored.account_id is null
            or (stored.model, stored.model_version) = (scores.model, scores.model_version)
        )
    order by scores.week, scores.account_id, scores.model, scores.model_version

)

select
    week,
    coalesce(accounts.account_name, account_id) as account,
    stored.own_score as stored_score,
    known.score as known_score,
    known.score - stored.own_score as difference,
    stored.own_band as stored_band,
    known.band as known_band,
    case
        when stored.account_id is null then 'not in the stored week'
        when known.account_id is null then 'not known then'
        else array_to_string(
            array(
                select metric.name
                from
                    unnest(score_models.metrics, stored.metric_values, known.metric_values)
                        as metric (name, stored, known)
                where metric.stored is distinct from metric.known
            ),
            ', '
        )
    end as because,
    account_weeks.arr::double precision as arr
from stored
full join known using (week, account_id)
left join cs.score_models
    on
        stored.model = score_models.model
        and stored.model_version = score_models.model_version
left join marts.dim_accounts as accounts using (account_id)
left join marts.fct_account_weeks as account_weeks using (week, account_id)
where
    (stored.account_id is null) <> (known.account_id is null)
    or stored.own_score is distinct from known.score
    or stored.own_band is distinct from known.band
    or (stored.override_id is null and stored.status is distinct from known.status)
    or stored.coverage is distinct from known.coverage
    or stored.metric_values is distinct from known.metric_values
order by
    (stored.own_band is not distinct from known.band) asc,
    abs(known.score - stored.own_score) desc nulls last,
    week asc,
    account_id asc
