{{ config(tags=['kpis']) }}

{%- set flows = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'upsell', 'cross_sell', 'price'] %}

with

bridge as (

    select * from {{ ref('fct_mrr_bridge') }}

),

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}
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

at_month_end as (

    select
        counted.month,
        kinds.segment_kind,
        kinds.segment,
        cast(sum(counted.customers) as double precision) as customers,
        cast(sum(counted.mrr) as double precision) as mrr,
        count(distinct counted.owner_email) filter (
            where counted.customers > 0 and counted.owner_email != 'none'
        ) as owners
    from counted
    cross join lateral {{ kpi_kinds('counted') }}
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
parts_in_windows as (

    select
        ends.month,
        windows.window_months,
        bridge.segment_kind,
        bridge.segment
    from bridge
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('bridge.month', 'windows.window_months') }}
    group by ends.month, windows.window_months, bridge.segment_kind, bridge.segment

),

ends as (

    select
        parts_in_windows.month,
        parts_in_windows.window_months,
        parts_in_windows.segment_kind,
        parts_in_windows.segment,
        cast(
            parts_in_windows.month - make_interval(months => parts_in_windows.window_months - 1) as date
        ) as first_month,
        coalesce(at_month_end.mrr, 0) as mrr,
        coalesce(at_month_end.customers, 0) as customers,
        coalesce(at_month_end.owners, 0) as owners
    from parts_in_windows
    left join at_month_end
        on
            parts_in_windows.month = at_month_end.month
            and parts_in_windows.segment_kind = at_month_end.segment_kind
            and parts_in_windows.segment = at_month_end.segment

),

flows as (

    select
        ends.month,
        ends.window_months,
        ends.segment_kind,
        ends.segment,
        ends.first_month,
        ends.mrr,
        ends.customers,
        ends.owners,
        {%- for flow in flows %}
        coalesce(sum(bridge.{{ flow }}), 0) as {{ flow }},
        {%- endfor %}
        coalesce(sum(bridge.opening_mrr) filter (where bridge.month = ends.first_month), 0) as opening_mrr
    from ends
    left join bridge
        on
            ends.segment_kind = bridge.segment_kind
            and ends.segment = bridge.segment
            and ends.first_month <= bridge.month
            and ends.month >= bridge.month
    group by
        ends.month,
        ends.window_months,
        ends.segment_kind,
        ends.segment,
        ends.first_month,
        ends.mrr,
        ends.customers,
        ends.owners

),

year_churn as (

    select
        ends.month,
        ends.segment_kind,
        ends.segment,
        sum(monthly_churn.lost) as lost,
        sum(monthly_churn.opened) as opened
    from ends
    inner join monthly_churn
        on
            ends.segment_kind = monthly_churn.segment_kind
            and ends.segment = monthly_churn.segment
            and ends.first_month <= monthly_churn.month
            and ends.month >= monthly_churn.month
    where ends.window_months = 12
    group by ends.month, ends.segment_kind, ends.segment

),

kpis as (

    select
        kpis.kpi,
        flows.month,
        flows.window_months,
        flows.segment_kind,
        flows.segment,
        cast(kpis.numerator as double precision) as numerator,
        cast(kpis.denominator as double precision) as denominator,
        cast(flows.customers as bigint) as n,
        cast(null as text) as interval_kind,
        cast(null as double precision) as squares
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
        cast(flows.customers as bigint) as n,
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
        cast(opened as bigint) as n,
        'share' as interval_kind,
        null as squares
    from year_churn

)

select * from kpis
