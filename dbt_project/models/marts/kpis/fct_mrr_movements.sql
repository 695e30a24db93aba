{{ config(tags=['kpis'], pre_hook='set local jit = off', post_hook='analyze {{ this }}') }}

with

product_months as (

    select * from {{ ref('int_product_months') }}

),

account_months as (

    select * from {{ ref('fct_account_months') }}

),

product_changes as{{ table_where_spread() }} (

    select
        coalesce(products.account_id, earlier.account_id) as account_id,
        coalesce(products.month, earlier.next_month) as month,
        coalesce(products.mrr, 0) - coalesce(earlier.mrr, 0) as mrr_change,
        earlier.mrr is not null as was_owned,
        products.mrr is not null as is_owned,
        coalesce(products.is_base, earlier.is_base) as is_base,
        coalesce(products.seats, -1) = coalesce(earlier.seats, -1)
        and coalesce(products.plans, '') = coalesce(earlier.plans, '') as is_same_amount
    from product_months as products
    full join product_months as earlier
        on
            products.account_id = earlier.account_id
            and products.product = earlier.product
            and products.month = earlier.next_month

),

-- A base product that takes the place of another is more of the same: the account moved up.
with_move as (

    select
        *,
        bool_or(was_owned and not is_owned and is_base) over (partition by account_id, month) as drops_base
    from product_changes

),

growth as (

    select
        account_id,
        month,
        sum(mrr_change) filter (where mrr_change > 0) as grown,
        coalesce(sum(mrr_change) filter (
            where mrr_change > 0 and not was_owned and not (is_base and drops_base)
        ), 0) as cross_sold,
        coalesce(sum(mrr_change) filter (where mrr_change > 0 and was_owned and is_same_amount), 0) as repriced
    from with_move
    group by account_id, month

),

changes as (

    select
        account_months.*,
        account_months.mrr - account_months.mrr_1m_ago as mrr_change,
        growth.cross_sold / growth.grown as cross_sold_share,
        growth.repriced / growth.grown as repriced_share
    from account_months
    left join growth
        on
            account_months.account_id = growth.account_id
            and account_months.month = growth.month
    where account_months.mrr != account_months.mrr_1m_ago

),

with_kind as (

    select
        *,
        case
            when mrr_1m_ago = 0 and first_paid_month = month then 'new'
            when
                mrr_1m_ago = 0
                and days_unpaid_before > {{ setting('kpi_reactivation_within_days') or 2147483647 }}
                then 'new'
            when mrr_1m_ago = 0 then 'reactivation'
            when mrr = 0 then 'churn'
            when mrr_change > 0 then 'expansion'
            else 'contraction'
        end as movement
    from changes

),

-- What an account lost elsewhere in the month is taken off its growth in proportion: the parts sum to the whole.
with_parts as (

    select
        *,
        case when movement = 'expansion' then round(mrr_change * cross_sold_share, 6) else 0 end as cross_sell,
        case when movement = 'expansion' then round(mrr_change * repriced_share, 6) else 0 end as price
    from with_kind

),

movements as (

    select
        account_id,
        month,
        movement,
        cast(mrr_1m_ago as double precision) as mrr_before,
        cast(mrr as double precision) as mrr_after,
        cast(mrr_change as double precision) as mrr_change,
        cast(case when movement = 'expansion' then mrr_change - cross_sell - price else 0 end as double precision)
            as upsell,
        cast(cross_sell as double precision) as cross_sell,
        cast(price as double precision) as price
    from with_parts

)

select * from movements
