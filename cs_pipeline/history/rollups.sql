with

children as (

    select
        account_weeks.parent_account_id as account_id,
        health_scores.model,
        health_scores.model_version,
        -- Decimal, so that a parent's score does not depend on the order of its children.
        health_scores.score::numeric as score,
        coalesce(score_models.definition ->> 'roll_up', 'arr') as roll_up,
        score_models.definition -> 'bands' as bands,
        coalesce(account_weeks.arr, 0)::numeric as arr
    from marts.fct_account_weeks as account_weeks
    inner join cs.health_scores using (week, account_id)
    inner join cs.score_models using (model, model_version)
    where
        account_weeks.week = $1::date
        and account_weeks.parent_account_id is not null
        and health_scores.is_active

),

parents as (

    select
        account_id,
        model,
        model_version,
        roll_up,
        bands,
        count(*) as children,
        count(score) as scored_children,
        sum(arr) as arr,
        case
            -- Children that pay nothing weigh alike.
            when roll_up = 'arr' and sum(arr) filter (where score is not null) > 0
                then sum(score * arr) / sum(arr) filter (where score is not null)
            else avg(score)
        end as score
    from children
    group by account_id, model, model_version, roll_up, bands

)

insert into cs.parent_scores (
    week, account_id, model, model_version, roll_up, children, scored_children, arr, score, band, severity
)
select
    $1::date,
    parents.account_id,
    parents.model,
    parents.model_version,
    parents.roll_up,
    parents.children,
    parents.scored_children,
    parents.arr,
    parents.score,
    named.band,
    named.severity
from parents
left join lateral (
    select
        band ->> 'band' as band,
        (band ->> 'severity')::smallint as severity
    from jsonb_array_elements(parents.bands) as band
    where parents.score >= (band ->> 'from')::double precision
    order by (band ->> 'from')::double precision desc
    limit 1
) as named on true
