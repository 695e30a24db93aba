{# Time as the whole project reads it: in UTC, in weeks that start on Monday, in windows that end at `as_of`.
   No macro asks the database what time it is. #}

{# The UTC day of a moment. #}
{% macro utc_day(moment) -%}
    cast({{ moment }} at time zone 'UTC' as date)
{%- endmacro %}


{# The Monday of a day. #}
{% macro week_of(day) -%}
    cast(date_trunc('week', cast({{ day }} as timestamp)) as date)
{%- endmacro %}


{# The end of the week that holds a day: the first Monday after it. #}
{% macro first_monday_after(day) -%}
    {{ week_of(day) }} + 7
{%- endmacro %}


{# First Monday on which the pipeline can have seen a row: the end of the week in which it reached the warehouse.
   Event time stands in where `_loaded_at` is empty. #}
{% macro known_from(loaded_at, happened_at) -%}
    cast(date_trunc('week', coalesce({{ loaded_at }}, {{ happened_at }}) at time zone 'UTC') as date) + 7
{%- endmacro %}


{# Had the row arrived by the day on which the week ended? Always so when late rows are included. #}
{% macro is_known(known_from, as_of_day) -%}
    {%- if setting('late_rows') == 'exclude' -%}
        {{ known_from }} <= {{ as_of_day }}
    {%- elif setting('late_rows') == 'include' -%}
        true
    {%- else -%}
        {{ exceptions.raise_compiler_error("late_rows is '" ~ setting('late_rows') ~ "'; expected exclude or include") }}
    {%- endif -%}
{%- endmacro %}


{# The moment that counts as today, as a literal. #}
{% macro present() -%}
    cast('{{ setting("present") or run_started_at }}' as timestamptz)
{%- endmacro %}


{# The Monday given as week_from or week_to, as a literal. #}
{% macro week_bound(name) -%}
    {%- set week = setting(name) or none -%}
    {%- if week is none and execute and flags.WHICH in ('run', 'build') -%}
        {{ exceptions.raise_compiler_error(
            "The weekly models need --vars with week_from and week_to, Mondays such as '2024-03-04'; "
            ~ name ~ " is missing. To build everything else: --exclude tag:weekly"
        ) }}
    {%- endif -%}
    {%- if week is not none and modules.datetime.date.fromisoformat(week | string).weekday() != 0 -%}
        {{ exceptions.raise_compiler_error(name ~ " is " ~ week ~ ", which is not a Monday") }}
    {%- endif -%}
    cast({{ "'" ~ week ~ "'" if week is not none else 'null' }} as date)
{%- endmacro %}
