-- Accounts that left or shrank in the quarter, with their score about a month before, and why they said that they go.
with lost as (
    select
        account_id,
        month,
        movement,
        mrr_before,
        -mrr_change as mrr_lost
    from marts.fct_mrr_movements
    where
        movement in ('churn', 'contraction')
        and month >= %(first)s::date
        and month < %(end)s::date
),

with_score as (
    select
        lost.*,
        scores.score,
        scores.band,
        scores.is_at_risk as was_at_risk
    from lost
    left join cs.active_scores as scores
        on
            lost.account_id = scores.account_id
            and scores.week = date_trunc('week', lost.month - interval '1 week')::date
),

reasons as (
    select distinct on (account_id)
        account_id,
        nullif(trim(reason), '') as reason
    from staging.stg_cancellation_requests
    where requested_at < %(as_of)s
    order by account_id asc, requested_at desc
)

select
    with_score.account_id,
    accounts.account_name,
    months.owner_email,
    months.tier_1m_ago as tier,
    with_score.movement,
    with_score.month,
    with_score.mrr_lost,
    with_score.score,
    with_score.band,
    with_score.was_at_risk,
    case when with_score.movement = 'churn' then reasons.reason end as reason
from with_score
left join marts.fct_account_months as months
    on with_score.account_id = months.account_id and with_score.month = months.month
left join marts.dim_accounts as accounts on with_score.account_id = accounts.account_id
left join reasons on with_score.account_id = reasons.account_id
