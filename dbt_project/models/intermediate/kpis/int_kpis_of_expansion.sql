{{ config(tags=['kpis']) }}

with

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}
    where movement = 'expansion'

),

-- What each account bought in each window.
bought as (

    select
        movements.account_id,
        ends.month,
        windows.window_months,
        bool_or(movements.upsell > 0) as is_upsold,
        bool_or(movements.cross_sell > 0) as is_cross_sold
    from movements
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('movements.month', 'windows.window_months') }}
    group by movements.account_id, ends.month, windows.window_months

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
        count(*) filter (where bought.is_upsold) as upsold,
        count(*) filter (where bought.is_cross_sold) as cross_sold
    from customers
    left join bought
        on
            customers.account_id = bought.account_id
            and customers.month = bought.month
            and customers.window_months = bought.window_months
    group by
        customers.month,
        customers.window_months,
        customers.tier,
        customers.segment,
        customers.owner_email,
        customers.cohort

),

by_part as (

    select
        counted.month,
        counted.window_months,
        kinds.segment_kind,
        kinds.segment,
        sum(counted.customers) as customers,
        sum(counted.upsold) as upsold,
        sum(counted.cross_sold) as cross_sold
    from counted
    cross join lateral {{ kpi_kinds('counted') }}
    group by counted.month, counted.window_months, kinds.segment_kind, kinds.segment

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        by_part.window_months,
        by_part.segment_kind,
        by_part.segment,
        cast(kpis.numerator as double precision) as numerator,
        cast(by_part.customers as double precision) as denominator,
        cast(by_part.customers as bigint) as n,
        'share' as interval_kind,
        cast(null as double precision) as squares
    from by_part
    cross join lateral (
        values
        ('upsell_rate', by_part.upsold),
        ('cross_sell_rate', by_part.cross_sold)
    ) as kpis (kpi, numerator)

)

select * from kpis
