{#
    Parts are views, and meet here as intermediate results that have no statistics: a planner that takes one for a single
    row loops over accounts times months. Hashing is right at every size. The pre-hooks hold for this transaction only.
#}
{{
    config(
        tags=['kpis'],
        pre_hook=[
            'set local enable_nestloop = off',
            'set local enable_mergejoin = off',
            'set local jit = off',
            more_work_mem(),
        ],
        post_hook='analyze {{ this }}',
    )
}}

{%- set parts = [
    'retention', 'revenue', 'expansion', 'cohorts', 'renewals', 'upcoming_renewals', 'satisfaction', 'health',
    'onboarding', 'usage', 'care', 'advocacy', 'forecasts',
] %}
{#- What is also told as a change against the window before. -#}
{%- set changes = {
    'monthly_active_users': 'monthly_active_users_change',
    'adoption_rate': 'adoption_change',
    'tickets_per_customer': 'tickets_per_customer_change',
    'expansion_revenue': 'expansion_revenue_change',
    'mrr': 'mrr_growth',
} %}

with

parts as (

    {% for part in parts %}
    {{ 'union all' if not loop.first }}
    select
        kpi,
        month,
        window_months,
        segment_kind,
        segment,
        cast(numerator as double precision) as numerator,
        cast(denominator as double precision) as denominator,
        cast(n as bigint) as n,
        interval_kind,
        cast(squares as double precision) as squares
    from {{ ref('int_kpis_of_' ~ part) }}
    {% endfor %}

),

-- Of a cohort only what there is: one of two years ago has nothing new in any month.
with_value as (

    select
        *,
        case
            when denominator is null and interval_kind is null then numerator
            else numerator / nullif(denominator, 0)
        end as value
    from parts
    where
        segment_kind != 'cohort'
        or numerator != 0
        or denominator != 0

),

changes as (

    select
        names.change as kpi,
        latest.month,
        latest.window_months,
        latest.segment_kind,
        latest.segment,
        latest.value - earlier.value as numerator,
        abs(earlier.value) as denominator,
        latest.n,
        null as interval_kind,
        cast(null as double precision) as squares,
        (latest.value - earlier.value) / nullif(abs(earlier.value), 0) as value
    from with_value as latest
    inner join (
        values
        {%- for kpi, change in changes.items() %}
        ('{{ kpi }}', '{{ change }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as names (kpi, change) on latest.kpi = names.kpi
    inner join with_value as earlier
        on
            latest.kpi = earlier.kpi
            and latest.window_months = earlier.window_months
            and latest.segment_kind = earlier.segment_kind
            and latest.segment = earlier.segment
            and latest.month = cast(earlier.month + make_interval(months => earlier.window_months) as date)

),

all_kpis as (

    select * from with_value

    union all

    select * from changes

),

-- Wilson's interval for a share; for a ratio of sums the linearised one, over the things that it is made of.
with_spread as (

    select
        *,
        case
            when interval_kind = 'share'
                then
                    1.96 * sqrt(value * (1 - value) / nullif(denominator, 0) + 0.9604 / nullif(denominator, 0) ^ 2)
                    / (1 + 3.8416 / nullif(denominator, 0))
            when interval_kind in ('ratio', 'bounded') and n > 1
                then 1.96 * sqrt(squares * n / (n - 1)) / nullif(abs(denominator), 0)
        end as spread,
        case
            when interval_kind = 'share'
                then (value + 1.9208 / nullif(denominator, 0)) / (1 + 3.8416 / nullif(denominator, 0))
            else value
        end as middle
    from all_kpis

),

with_interval as (

    select
        *,
        case when interval_kind = 'ratio' then middle - spread else greatest(middle - spread, 0) end as low,
        case when interval_kind = 'ratio' then middle + spread else least(middle + spread, 1) end as high
    from with_spread

),

definitions as (

    select * from cs.kpi_definitions

),

loads as (

    select
        source_table,
        max(finished_at) as finished_at
    from cs.loads
    where rows_read > 0
    group by source_table

),

-- The last load of each source that a KPI reads. A source that no load is recorded of is not judged.
loaded_until as (

    select
        definitions.kpi,
        min(loads.finished_at) as finished_at
    from definitions
    cross join lateral unnest(definitions.sources) as sources (source_table)
    inner join loads on sources.source_table = loads.source_table
    group by definitions.kpi

),

kpis as (

    select
        with_interval.kpi,
        with_interval.month,
        {{ as_of_day_of_month('with_interval.month') }} as as_of_day,
        with_interval.window_months,
        with_interval.segment_kind,
        with_interval.segment,
        definitions.basis,
        with_interval.numerator,
        with_interval.denominator,
        with_interval.value,
        with_interval.n,
        case when with_interval.spread is not null then with_interval.low end as low,
        case when with_interval.spread is not null then with_interval.high end as high,
        definitions.target,
        case
            when coalesce(definitions.target_window_months, 0) != with_interval.window_months then null
            when definitions.target_kind = 'above' then with_interval.value > definitions.target
            when definitions.target_kind = 'at_least' then with_interval.value >= definitions.target
            when definitions.target_kind = 'below' then with_interval.value < definitions.target
            when definitions.target_kind = 'at_most' then with_interval.value <= definitions.target
        end as meets_target,
        {{ month_is_over('with_interval.month') }}
        and coalesce(
            loaded_until.finished_at >= {{ utc_midnight("cast(with_interval.month + interval '1 month' as date)") }},
            true
        ) as is_complete,
        definitions.version as definition_version
    from with_interval
    left join definitions on with_interval.kpi = definitions.kpi
    left join loaded_until on with_interval.kpi = loaded_until.kpi

)

select * from kpis
