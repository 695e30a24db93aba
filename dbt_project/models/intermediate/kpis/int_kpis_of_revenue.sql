{{ config(tags=['kpis']) }}

{%- set flows = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'upsell', 'cross_sell', 'price'] %}

with

bridge as (

    select * from {{ ref('fct_mrr_bridge') }}

),

account_months as (

    select * from {{ ref('fct_account_months') }}
    where
        mrr > 0
        or mrr_1m_ago > 0

),

-- Grouped first by all parts at once: the accounts are many, the parts are few.
counted as (

    select
        month,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) filter (where mrr > 0) as customers,
        sum(mrr) as mrr
    from account_months
    group by month, tier, segment, owner_email, cohort

),

by_part as (

    {{ sums_by_part('counted', ['month'], ['customers', 'mrr']) | indent(4) }}

),

owners as (

    select
        counted.month,
        kinds.segment_kind,
        kinds.segment,
        count(distinct counted.owner_email) as owners
    from counted
    cross join lateral {{ kpi_kinds('counted') }}
    where
        counted.customers > 0
        and counted.owner_email != 'none'
    group by counted.month, kinds.segment_kind, kinds.segment

),

-- Customers lost month by month, for the monthly churn of a year.
monthly_churn as (

    select
        month,
        segment_kind,
        segment,
        numerator as lost,
        denominator as opened
    from {{ ref('int_kpis_of_retention') }}
    where
        kpi = 'churn_rate'
        and window_months = 1

),

-- A part whose last customer has left still has what moved in its window.
moved as (

    {{ sums_over_windows('bridge', [], flows) | indent(4) }}

),

flows as (

    select
        moved.*,
        coalesce(openings.opening_mrr, 0) as opening_mrr,
        cast(coalesce(by_part.mrr, 0) as double precision) as mrr,
        cast(coalesce(by_part.customers, 0) as double precision) as customers,
        coalesce(owners.owners, 0) as owners
    from moved
    left join bridge as openings
        on
            moved.segment_kind = openings.segment_kind
            and moved.segment = openings.segment
            and openings.month = cast(moved.month - make_interval(months => moved.window_months - 1) as date)
    left join by_part
        on
            moved.month = by_part.month
            and moved.segment_kind = by_part.segment_kind
            and moved.segment = by_part.segment
    left join owners
        on
            moved.month = owners.month
            and moved.segment_kind = owners.segment_kind
            and moved.segment = owners.segment

),

year_churn as (

    select
        year_sums.month,
        year_sums.segment_kind,
        year_sums.segment,
        year_sums.lost,
        year_sums.opened
    from (
        {{ sums_over_windows('monthly_churn', [], ['lost', 'opened']) | indent(8) }}
    ) as year_sums
    inner join flows
        on
            year_sums.month = flows.month
            and year_sums.window_months = flows.window_months
            and year_sums.segment_kind = flows.segment_kind
            and year_sums.segment = flows.segment
    where year_sums.window_months = 12

),

kpis as (

    select
        kpis.kpi,
        flows.month,
        flows.window_months,
        flows.segment_kind,
        flows.segment,
        kpis.numerator,
        kpis.denominator,
        flows.customers as n,
        null as interval_kind,
        null as squares
    from flows
    cross join
        lateral (
            values
            ('mrr', true, flows.mrr, null),
            ('arr', true, flows.mrr * 12, null),
            ('customers', true, flows.customers, null),
            ('arpa', true, flows.mrr, flows.customers),
            ('arr_per_csm', true, flows.mrr * 12, flows.owners),
            ('accounts_per_csm', true, flows.customers, flows.owners),
            ('new_mrr', false, flows.new, null),
            ('reactivation_mrr', false, flows.reactivation, null),
            ('expansion_revenue', false, flows.expansion, null),
            ('contraction_mrr', false, -flows.contraction, null),
            ('churned_mrr', false, -flows.churn, null),
            (
                'net_new_mrr',
                false,
                flows.new + flows.reactivation + flows.expansion + flows.contraction + flows.churn,
                null
            ),
            ('upsell_revenue', false, flows.upsell, null),
            ('cross_sell_revenue', false, flows.cross_sell, null),
            ('price_revenue', false, flows.price, null),
            ('expansion_rate', false, flows.expansion, flows.opening_mrr),
            ('upsell_revenue_rate', false, flows.upsell, flows.opening_mrr),
            ('cross_sell_revenue_rate', false, flows.cross_sell, flows.opening_mrr),
            (
                'quick_ratio',
                false,
                flows.new + flows.expansion + flows.reactivation,
                -(flows.contraction + flows.churn)
            ),
            ('grr_losses_accumulated', false, flows.opening_mrr + flows.contraction + flows.churn, flows.opening_mrr)
        ) as kpis (kpi, is_of_month, numerator, denominator)
    where
        not kpis.is_of_month
        or flows.window_months = 1

    union all

    -- Fewer than 30 customers, or none lost, tell nothing of a lifetime.
    select
        'ltv' as kpi,
        flows.month,
        flows.window_months,
        flows.segment_kind,
        flows.segment,
        flows.mrr / nullif(flows.customers, 0) * {{ setting('kpi_gross_margin') }} as numerator,
        case when flows.customers >= 30 then year_churn.lost / nullif(year_churn.opened, 0) end as denominator,
        flows.customers as n,
        'none' as interval_kind,
        null as squares
    from flows
    inner join year_churn
        on
            flows.month = year_churn.month
            and flows.segment_kind = year_churn.segment_kind
            and flows.segment = year_churn.segment
    where flows.window_months = 12

    union all

    select
        'monthly_churn_rate' as kpi,
        month,
        12 as window_months,
        segment_kind,
        segment,
        lost as numerator,
        opened as denominator,
        opened as n,
        'share' as interval_kind,
        null as squares
    from year_churn

)

select * from kpis
