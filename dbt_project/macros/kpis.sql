{# What the models of KPIs share. A part of fct_kpis has the columns kpi, month, window_months, segment_kind, segment,
   numerator, denominator, n, and what its interval is made of; docs/kpis.md says what each KPI means.

   Accounts and what they do are many, parts of the business few: a model first adds up by all four ways to split at
   once and by how many months ago it was, with one row a thing and month, and only sums are multiplied by parts and
   windows (sums_by_part, sums_by_part_and_window, sums_over_windows). #}

{# The ways in which a row is split, to be used after `cross join lateral`. `row` has tier, segment, owner_email and
   cohort; a part without a name is no part. #}
{% macro kpi_kinds(row) -%}
    (
        select
            kinds.segment_kind,
            kinds.segment
        from (
            values
            ('all', 'all'),
            ('tier', {{ row }}.tier),
            ('segment', {{ row }}.segment),
            ('owner', {{ row }}.owner_email),
            ('cohort', {{ row }}.cohort)
        ) as kinds (segment_kind, segment)
        where kinds.segment is not null
    ) as kinds
{%- endmacro %}


{# The windows that end with a month, in months. #}
{% macro kpi_windows() -%}
    (values (1), (3), (12)) as windows (window_months)
{%- endmacro %}


{# The months with which a window may end that holds `month`, up to the present one, and before the month `until` where
   it is given and not null: as `ends.month`, with the length of the shortest such window as `ends.within_months`. To be
   used after `cross join lateral`. #}
{% macro months_that_count(month, until=none) -%}
    (
        select
            cast({{ month }} + make_interval(months => ages.months) as date) as month,
            case when ages.months < 1 then 1 when ages.months < 3 then 3 else 12 end as within_months
        from generate_series(0, 11) as ages (months)
        where
            {{ month }} + make_interval(months => ages.months) <= {{ month_of(utc_day(present())) }}
            {%- if until %}
            and (
                {{ until }} is null
                or {{ month }} + make_interval(months => ages.months) < {{ until }}
            )
            {%- endif %}
    ) as ends
{%- endmacro %}


{# The `sums` of `relation`, by its columns `keys`, for each part. It has tier, segment, owner_email and cohort. #}
{% macro sums_by_part(relation, keys, sums) -%}
    select
        {%- for key in keys %}
        {{ relation }}.{{ key }},
        {%- endfor %}
        kinds.segment_kind,
        kinds.segment,
        {%- for sum in sums %}
        sum({{ relation }}.{{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    cross join lateral {{ kpi_kinds(relation) }}
    group by {% for key in keys %}{{ relation }}.{{ key }}, {% endfor %}kinds.segment_kind, kinds.segment
{%- endmacro %}


{# The same for each window, of a relation that also has within_months: what counts within one month also does within
   three. #}
{% macro sums_by_part_and_window(relation, keys, sums) -%}
    select
        {%- for key in keys %}
        parts.{{ key }},
        {%- endfor %}
        windows.window_months,
        parts.segment_kind,
        parts.segment,
        {%- for sum in sums %}
        sum(parts.{{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        {{ sums_by_part(relation, keys + ['within_months'], sums) | indent(4) }}
    ) as parts
    inner join {{ kpi_windows() }} on parts.within_months <= windows.window_months
    group by {% for key in keys %}parts.{{ key }}, {% endfor %}windows.window_months, parts.segment_kind, parts.segment
{%- endmacro %}


{# The `sums` of `relation`, which has month, segment_kind and segment, added up over each window: for what stays in the
   part where it was when it happened. #}
{% macro sums_over_windows(relation, keys, sums) -%}
    select
        {%- for key in keys %}
        {{ relation }}.{{ key }},
        {%- endfor %}
        ends.month,
        windows.window_months,
        {{ relation }}.segment_kind,
        {{ relation }}.segment,
        {%- for sum in sums %}
        sum({{ relation }}.{{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    cross join lateral {{ months_that_count(relation ~ '.month') }}
    inner join {{ kpi_windows() }} on ends.within_months <= windows.window_months
    group by
        {% for key in keys %}{{ relation }}.{{ key }}, {% endfor %}ends.month, windows.window_months,
        {{ relation }}.segment_kind, {{ relation }}.segment
{%- endmacro %}


{# Sum of squares of b - R a, where R is the sum of b over the sum of a: what the variance of a ratio is made of. #}
{% macro residual_squares(b, a, bb, ab, aa) -%}
    greatest({{ bb }} - 2 * {{ b }} / nullif({{ a }}, 0) * {{ ab }} + ({{ b }} / nullif({{ a }}, 0)) ^ 2 * {{ aa }}, 0)
{%- endmacro %}


{# The week, by its Monday, that was the last to have ended when a day was over. #}
{% macro last_week_ended(day) -%}
    ({{ week_of('(' ~ day ~ ' + 1)') }} - 7)
{%- endmacro %}


{# When revenue of who cancelled ends: with what was paid for, or when they asked. #}
{% macro kpi_churn_date() -%}
    {%- if setting('kpi_churn_date') not in ('end_of_service', 'cancellation_request') -%}
        {{ exceptions.raise_compiler_error(
            "kpi_churn_date is '" ~ setting('kpi_churn_date') ~ "'; expected end_of_service or cancellation_request"
        ) }}
    {%- endif -%}
    {{ return(setting('kpi_churn_date')) }}
{%- endmacro %}


{# The column of an account that KPIs are split by as `segment`. #}
{% macro kpi_segment() -%}
    {%- set columns = ['industry', 'country', 'plan'] -%}
    {%- if setting('kpi_segment') not in columns -%}
        {{ exceptions.raise_compiler_error(
            "kpi_segment is '" ~ setting('kpi_segment') ~ "'; expected one of " ~ columns | join(', ')
        ) }}
    {%- endif -%}
    {{ return(setting('kpi_segment')) }}
{%- endmacro %}
