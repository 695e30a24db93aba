{# Calendar months in UTC, each named by its first day. #}

{# First day of the month of a day. #}
{% macro month_of(day) -%}
    cast(date_trunc('month', cast({{ day }} as timestamp)) as date)
{%- endmacro %}


{# The day on which a month (its first day) is read: its last day, or the present one while it is not over. #}
{% macro as_of_day_of_month(month) -%}
    least(cast({{ month }} + interval '1 month' as date) - 1, {{ utc_day(present()) }})
{%- endmacro %}


{# Is the month (its first day) over? #}
{% macro month_is_over(month) -%}
    cast({{ month }} + interval '1 month' as date) <= {{ utc_day(present()) }}
{%- endmacro %}
