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
        sum(starts.mrr) as a,
        sum(account_months.mrr) as b,
        sum(starts.retained) as m,
        sum(starts.mrr * starts.mrr) as aa,
        sum(account_months.mrr * starts.mrr) as ab,
        sum(account_months.mrr * account_months.mrr) as bb,
        sum(starts.retained * starts.mrr) as am,
        sum(starts.retained * starts.retained) as mm
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

-- Added up as decimals, so that no sum depends on the order of accounts.
sums as (

    select
        month,
        window_months,
        segment_kind,
        segment,
        customers,
        kept,
        grown,
        cast(a as double precision) as a,
        cast(b as double precision) as b,
        cast(m as double precision) as m,
        cast(aa as double precision) as aa,
        cast(ab as double precision) as ab,
        cast(bb as double precision) as bb,
        cast(am as double precision) as am,
        cast(mm as double precision) as mm
    from by_part

),

kpis as (

    select
        kpis.kpi,
        sums.month,
        sums.window_months,
        sums.segment_kind,
        sums.segment,
        kpis.numerator,
        kpis.denominator,
        sums.customers as n,
        kpis.interval_kind,
        kpis.squares
    from sums
    cross join lateral (
        values
        (
            'nrr',
            sums.b,
            sums.a,
            'ratio',
            {{ residual_squares('sums.b', 'sums.a', 'sums.bb', 'sums.ab', 'sums.aa') }}
        ),
        (
            'grr',
            sums.m,
            sums.a,
            'bounded',
            {{ residual_squares('sums.m', 'sums.a', 'sums.mm', 'sums.am', 'sums.aa') }}
        ),
        (
            'revenue_churn_rate',
            sums.a - sums.m,
            sums.a,
            'bounded',
            {{ residual_squares('sums.m', 'sums.a', 'sums.mm', 'sums.am', 'sums.aa') }}
        ),
        ('logo_retention', sums.kept, sums.customers, 'share', null),
        ('churn_rate', sums.customers - sums.kept, sums.customers, 'share', null),
        ('account_growth', sums.grown, sums.customers, 'share', null)
    ) as kpis (kpi, numerator, denominator, interval_kind, squares)

)

select * from kpis
