{# What the models of KPIs share. A part of fct_kpis has the columns kpi, month, window_months, segment_kind, segment,
   numerator, denominator, n, and what its interval is made of; docs/kpis.md says what each KPI means. #}

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


{# The months whose window of `window_months` holds `month`, up to the present one, and before the month `until` where it
   is given and not null, as `ends.month`; to be used after `cross join lateral`. #}
{% macro months_that_count(month, window_months, until=none) -%}
    (
        select cast(moments.moment as date) as month
        from generate_series(
            cast({{ month }} as timestamp),
            least(
                cast({{ month }} as timestamp) + make_interval(months => {{ window_months }} - 1),
                {%- if until %}
                cast({{ until }} as timestamp) - interval '1 month',
                {%- endif %}
                cast({{ month_of(utc_day(present())) }} as timestamp)
            ),
            interval '1 month'
        ) as moments (moment)
    ) as ends
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
