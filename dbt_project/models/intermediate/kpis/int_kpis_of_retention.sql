{# A table, for revenue reads it too. #}
{{
    config(
        tags=['kpis'],
        materialized='table',
        pre_hook=['set local jit = off', more_work_mem()],
        post_hook='analyze {{ this }}',
    )
}}

with

account_months as (

    select * from {{ ref('fct_account_months') }}

),

-- Point to point: who paid at the start of the window, looked at again at its end, in the part where it was at first.
compared as (

    select
        account_months.month,
        starts.window_months,
        starts.tier,
        starts.segment,
        starts.owner_email,
        account_months.cohort,
        count(*) as customers,
        count(*) filter (where account_months.mrr > 0) as kept,
        count(*) filter (where account_months.mrr > starts.mrr) as grown,
        cast(sum(starts.mrr) as double precision) as a,
        cast(sum(account_months.mrr) as double precision) as b,
        cast(sum(starts.retained) as double precision) as m,
        cast(sum(starts.mrr * starts.mrr) as double precision) as aa,
        cast(sum(account_months.mrr * starts.mrr) as double precision) as ab,
        cast(sum(account_months.mrr * account_months.mrr) as double precision) as bb,
        cast(sum(starts.retained * starts.mrr) as double precision) as am,
        cast(sum(starts.retained * starts.retained) as double precision) as mm
    from account_months
    cross join
        lateral (
            values
            {%- for months in [1, 3, 12] %}
            (
                {{ months }},
                account_months.mrr_{{ months }}m_ago,
                account_months.retained_mrr_{{ months }}m,
                account_months.tier_{{ months }}m_ago,
                account_months.segment_{{ months }}m_ago,
                account_months.owner_{{ months }}m_ago
            ){{ ',' if not loop.last }}
            {%- endfor %}
        ) as starts (window_months, mrr, retained, tier, segment, owner_email)
    where starts.mrr > 0
    group by
        account_months.month,
        starts.window_months,
        starts.tier,
        starts.segment,
        starts.owner_email,
        account_months.cohort

),

by_part as (

    {{ sums_by_part(
        'compared', ['month', 'window_months'],
        ['customers', 'kept', 'grown', 'a', 'b', 'm', 'aa', 'ab', 'bb', 'am', 'mm']
    ) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        by_part.window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        kpis.denominator,
        by_part.customers as n,
        kpis.interval_kind,
        kpis.squares
    from by_part
    cross join lateral (
        values
        (
            'nrr',
            by_part.b,
            by_part.a,
            'ratio',
            {{ residual_squares('by_part.b', 'by_part.a', 'by_part.bb', 'by_part.ab', 'by_part.aa') }}
        ),
        (
            'grr',
            by_part.m,
            by_part.a,
            'bounded',
            {{ residual_squares('by_part.m', 'by_part.a', 'by_part.mm', 'by_part.am', 'by_part.aa') }}
        ),
        (
            'revenue_churn_rate',
            by_part.a - by_part.m,
            by_part.a,
            'bounded',
            {{ residual_squares('by_part.m', 'by_part.a', 'by_part.mm', 'by_part.am', 'by_part.aa') }}
        ),
        ('logo_retention', by_part.kept, by_part.customers, 'share', null),
        ('churn_rate', by_part.customers - by_part.kept, by_part.customers, 'share', null),
        ('account_growth', by_part.grown, by_part.customers, 'share', null)
    ) as kpis (kpi, numerator, denominator, interval_kind, squares)

)

select * from kpis
