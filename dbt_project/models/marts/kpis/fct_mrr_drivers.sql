{{ config(tags=['kpis']) }}

with

movements as (

    select
        *,
        {{ last_week_ended('(month - 1)') }} as week_before
    from {{ ref('fct_mrr_movements') }}

),

account_months as (

    select
        account_id,
        month,
        tier,
        segment,
        owner_email
    from {{ ref('fct_account_months') }}

),

accounts as (

    select
        account_id,
        account_name
    from {{ ref('stg_accounts') }}

),

scores as (

    select
        account_id,
        week,
        score,
        severity
    from {{ source('cs', 'health_scores') }}
    where is_active

),

-- The last request that was known when the month ended, and not withdrawn.
requests as (

    select distinct on (movements.account_id, movements.month)
        movements.account_id,
        movements.month,
        cancellations.reason
    from movements
    inner join {{ ref('stg_cancellation_requests') }} as cancellations
        on
            movements.account_id = cancellations.account_id
            and cancellations.requested_at < {{ utc_midnight("cast(movements.month + interval '1 month' as date)") }}
            and cancellations.withdrawn_at is null
    where movements.movement in ('churn', 'contraction')
    order by movements.account_id asc, movements.month asc, cancellations.requested_at desc

),

drivers as (

    select
        movements.account_id,
        movements.month,
        accounts.account_name,
        movements.movement,
        cast(
            row_number() over (
                partition by movements.month, movements.movement
                order by abs(movements.mrr_change) desc, movements.account_id asc
            ) as integer
        ) as place,
        movements.mrr_before,
        movements.mrr_after,
        movements.mrr_change,
        movements.mrr_change / sum(movements.mrr_change) over (partition by movements.month, movements.movement)
            as share_of_movement,
        movements.upsell,
        movements.cross_sell,
        movements.price,
        coalesce(account_months.tier, 'none') as tier,
        coalesce(account_months.segment, 'none') as segment,
        coalesce(account_months.owner_email, 'none') as owner_email,
        scores.score as score_before,
        cast(scores.severity as integer) as severity_before,
        requests.reason as cancellation_reason
    from movements
    inner join accounts on movements.account_id = accounts.account_id
    left join account_months
        on
            movements.account_id = account_months.account_id
            and movements.month = account_months.month
    left join scores
        on
            movements.account_id = scores.account_id
            and movements.week_before = scores.week
    left join requests
        on
            movements.account_id = requests.account_id
            and movements.month = requests.month

)

select * from drivers
