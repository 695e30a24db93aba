{#
    What the reference program brings, and stories that were published. An event counts in its own month: a reference when
    it was given, a prospect when it was decided.
#}
{{ config(tags=['kpis']) }}

with

account_months as (

    select * from {{ ref('fct_account_months') }}

),

customer_references as (

    select * from {{ ref('stg_customer_references') }}

),

happened as (

    select
        account_id,
        {{ month_of(utc_day('provided_at')) }} as month,
        1 as provided,
        satisfaction / 5 as satisfaction,
        coalesce(cost, 0) as cost,
        null as is_won,
        0 as won_arr,
        0 as published
    from customer_references
    where provided_at <= {{ present() }}

    union all

    select
        account_id,
        {{ month_of(utc_day('decided_at')) }} as month,
        0 as provided,
        null as satisfaction,
        0 as cost,
        cast(is_won as integer) as is_won,
        case when is_won then coalesce(won_mrr, 0) * 12 else 0 end as won_arr,
        0 as published
    from customer_references
    where
        decided_at <= {{ present() }}
        and provided_at is not null
        and is_won is not null

    union all

    select
        account_id,
        {{ month_of(utc_day('published_at')) }} as month,
        0 as provided,
        null as satisfaction,
        0 as cost,
        null as is_won,
        0 as won_arr,
        1 as published
    from {{ ref('stg_case_studies') }}
    where published_at <= {{ present() }}

),

by_part as (

    select
        happened.month,
        kinds.segment_kind,
        kinds.segment,
        sum(happened.provided) as provided,
        count(happened.satisfaction) as asked,
        coalesce(sum(happened.satisfaction), 0) as satisfaction,
        coalesce(sum(happened.satisfaction ^ 2), 0) as satisfaction_squares,
        sum(happened.cost) as cost,
        count(happened.is_won) as decided,
        coalesce(sum(happened.is_won), 0) as won,
        sum(happened.won_arr) as won_arr,
        sum(happened.published) as published
    from happened
    inner join account_months
        on
            happened.account_id = account_months.account_id
            and happened.month = account_months.month
    cross join lateral {{ kpi_kinds('account_months') }}
    group by happened.month, kinds.segment_kind, kinds.segment

),

counted as (

    {{ sums_over_windows(
        'by_part', [],
        ['provided', 'asked', 'satisfaction', 'satisfaction_squares', 'cost', 'decided', 'won', 'won_arr', 'published']
    ) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        counted.month,
        counted.window_months,
        counted.segment_kind,
        counted.segment,
        kpis.numerator,
        kpis.denominator,
        kpis.n,
        kpis.interval_kind,
        kpis.squares
    from counted
    cross join
        lateral (
            values
            ('references_provided', counted.provided, null, counted.provided, null, null),
            ('reference_conversion', counted.won, counted.decided, counted.decided, 'share', null),
            (
                'advocate_satisfaction',
                counted.satisfaction,
                counted.asked,
                counted.asked,
                'bounded',
                greatest(counted.satisfaction_squares - counted.satisfaction ^ 2 / nullif(counted.asked, 0), 0)
            ),
            ('reference_roi', counted.won_arr - counted.cost, counted.cost, counted.provided, 'none', null),
            ('case_study_count', counted.published, null, counted.published, null, null)
        ) as kpis (kpi, numerator, denominator, n, interval_kind, squares)

)

select * from kpis
