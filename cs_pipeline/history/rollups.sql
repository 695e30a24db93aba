with

children as (

    select
        account_weeks.parent_account_id as account_id,
        health_scores.model,
        health_scores.model_version,
        -- Decimal, so that a parent's score does not depend on the order of its children.
        health_scores.score::numeric as score,
        coalesce(account_weeks.arr, 0)::numeric as arr
    from marts.fct_account_weeks as account_weeks
    inner join cs.health_scores using (week, account_id)
    where
        account_weeks.week = $1::date
        and account_weeks.parent_account_id is not null
        and health_scores.is_active

),

-- What the models say is joined to the sums: where tables are spread over servers, each adds up its own children first.
sums as (

    select
        account_id,
        model,
        model_version,
        count(*) as children,
        count(score) as scored_children,
        sum(arr) as arr,
        sum(arr) filter (where score is not null) as scored_arr,
        sum(score * arr) as weighted,
        avg(score) as mean
    from children
    group by account_id, model, model_version

),

parents as (

    select
        sums.account_id,
        sums.model,
        sums.model_version,
        coalesce(score_models.definition ->> 'roll_up', 'arr') as roll_up,
        score_models.definition -> 'bands' as bands,
        sums.children,
        sums.scored_children,
        sums.arr,
        case
            -- Children that pay nothing weigh alike.
            when coalesce(score_models.definition ->> 'roll_up', 'arr') = 'arr' and sums.scored_arr > 0
                then sums.weighted / sums.scored_arr
            else sums.mean
        end as score
    from sums
    inner join cs.score_models
        on sums.model = score_models.model and sums.model_version = score_models.model_version

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
