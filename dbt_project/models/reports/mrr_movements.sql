with

movements as (

    select
        movements.account_id,
        movements.month,
        accounts.account_name,
        months.tier,
        months.segment,
        months.owner_email,
        movements.movement,
        movements.mrr_before,
        movements.mrr_after,
        movements.mrr_change,
        movements.upsell,
        movements.cross_sell,
        movements.price,
        months.is_complete
    from {{ ref('fct_mrr_movements') }} as movements
    left join {{ ref('fct_account_months') }} as months
        on
            movements.account_id = months.account_id
            and movements.month = months.month
    left join {{ ref('dim_accounts') }} as accounts on movements.account_id = accounts.account_id

)

select * from movements
