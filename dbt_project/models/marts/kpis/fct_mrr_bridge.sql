{{ config(tags=['kpis']) }}

with

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}
    where
        mrr != 0
        or mrr_1m_ago != 0

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

-- What an account pays belongs to the part of the business where it is at the end of the month.
placed as (

    select
        account_months.account_id,
        account_months.month,
        account_months.is_complete,
        account_months.mrr,
        account_months.mrr_1m_ago,
        kinds.segment_kind,
        kinds.segment,
        coalesce(kinds.segment_before, kinds.segment) as segment_before
    from account_months
    cross join lateral (
        values
        ('all', 'all', 'all'),
        ('tier', account_months.tier, account_months.tier_1m_ago),
        ('segment', account_months.segment, account_months.segment_1m_ago),
        ('owner', account_months.owner_email, account_months.owner_1m_ago),
        ('cohort', account_months.cohort, account_months.cohort)
    ) as kinds (segment_kind, segment, segment_before)

),

entries as (

    select
        placed.month,
        placed.is_complete,
        placed.segment_kind,
        placed.segment,
        case when placed.segment = placed.segment_before then placed.mrr_1m_ago else 0 end as opening,
        case when placed.segment = placed.segment_before then 0 else placed.mrr_1m_ago end as moved_in,
        0 as moved_out,
        movements.movement,
        coalesce(cast(movements.mrr_change as numeric), 0) as mrr_change,
        coalesce(cast(movements.upsell as numeric), 0) as upsell,
        coalesce(cast(movements.cross_sell as numeric), 0) as cross_sell,
        coalesce(cast(movements.price as numeric), 0) as price,
        placed.mrr as closing
    from placed
    left join movements
        on
            placed.account_id = movements.account_id
            and placed.month = movements.month

    union all

    select
        month,
        is_complete,
        segment_kind,
        segment_before as segment,
        mrr_1m_ago as opening,
        0 as moved_in,
        mrr_1m_ago as moved_out,
        null as movement,
        0 as mrr_change,
        0 as upsell,
        0 as cross_sell,
        0 as price,
        0 as closing
    from placed
    where segment != segment_before

),

bridge as (

    select
        month,
        segment_kind,
        segment,
        bool_and(is_complete) as is_complete,
        cast(sum(opening) as double precision) as opening_mrr
        {%- for movement in ['new', 'reactivation', 'expansion', 'contraction', 'churn'] %},
        cast(coalesce(sum(mrr_change) filter (where movement = '{{ movement }}'), 0) as double precision)
            as {{ movement }}
        {%- endfor %},
        cast(sum(upsell) as double precision) as upsell,
        cast(sum(cross_sell) as double precision) as cross_sell,
        cast(sum(price) as double precision) as price,
        cast(sum(moved_in) as double precision) as moved_in,
        cast(sum(moved_out) as double precision) as moved_out,
        cast(sum(closing) as double precision) as closing_mrr
    from entries
    group by month, segment_kind, segment

)

select * from bridge
