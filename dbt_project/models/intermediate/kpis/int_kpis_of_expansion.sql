{{ config(tags=['kpis']) }}

with

account_months as (

    select * from {{ ref('fct_account_months') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}
    where movement = 'expansion'

),

-- How many months ago each account last bought more, or another product.
bought as (

    select
        movements.account_id,
        ends.month,
        min(ends.within_months) filter (where movements.upsell > 0) as upsold_within,
        min(ends.within_months) filter (where movements.cross_sell > 0) as cross_sold_within
    from movements
    cross join lateral {{ months_that_count('movements.month') }}
    group by movements.account_id, ends.month

),

customers as (

    select
        account_months.account_id,
        account_months.month,
        account_months.cohort,
        starts.window_months,
        starts.tier,
        starts.segment,
        starts.owner_email
    from account_months
    cross join
        lateral (
            values
            {%- for months in [1, 3, 12] %}
            (
                {{ months }},
                account_months.mrr_{{ months }}m_ago,
                account_months.tier_{{ months }}m_ago,
                account_months.segment_{{ months }}m_ago,
                account_months.owner_{{ months }}m_ago
            ){{ ',' if not loop.last }}
            {%- endfor %}
        ) as starts (window_months, mrr, tier, segment, owner_email)
    where starts.mrr > 0

),

counted as (

    select
        customers.month,
        customers.window_months,
        customers.tier,
        customers.segment,
        customers.owner_email,
        customers.cohort,
        count(*) as customers,
        count(*) filter (where bought.upsold_within <= customers.window_months) as upsold,
        count(*) filter (where bought.cross_sold_within <= customers.window_months) as cross_sold
    from customers
    left join bought
        on
            customers.account_id = bought.account_id
            and customers.month = bought.month
    group by
        customers.month,
        customers.window_months,
        customers.tier,
        customers.segment,
        customers.owner_email,
        customers.cohort

),

by_part as (

    {{ sums_by_part('counted', ['month', 'window_months'], ['customers', 'upsold', 'cross_sold']) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        by_part.window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        by_part.customers as denominator,
        by_part.customers as n,
        'share' as interval_kind,
        null as squares
    from by_part
    cross join lateral (
        values
        ('upsell_rate', by_part.upsold),
        ('cross_sell_rate', by_part.cross_sold)
    ) as kpis (kpi, numerator)

)

select * from kpis
