{# How dated rows meet the weeks week_from..week_to: through small calendars that are joined by equality, so that the
   cost grows with the rows and not with rows times weeks. Built from the vars, not from the spine, so that the
   planner knows their size. #}

{# The Monday after the first week of the range, and the one after the last. #}
{% macro first_as_of_day() -%}
    ({{ week_bound('week_from') }} + 7)
{%- endmacro %}


{% macro last_as_of_day() -%}
    ({{ week_bound('week_to') }} + 7)
{%- endmacro %}


{# The moment at which a day begins. #}
{% macro utc_midnight(day) -%}
    cast({{ day }} as timestamp) at time zone 'UTC'
{%- endmacro %}


{# Every day of the windows of `days` days: one row for each week that counts the day, with its age (1 = the last day
   of the week), so that "within the last 30 days" is `age <= 30`. #}
{% macro days_of_weeks(days) -%}
    select
        weeks.monday + 7 - ages.age as day,
        weeks.monday as week,
        weeks.monday + 7 as as_of_day,
        ages.age
    from (
        select {{ week_bound('week_from') }} + 7 * nth as monday
        from generate_series(0, ({{ week_bound('week_to') }} - {{ week_bound('week_from') }}) / 7) as numbers (nth)
    ) as weeks
    cross join generate_series(1, {{ days }}) as ages (age)
{%- endmacro %}


{# Lateral join that gives the weeks at whose end something holds which began on one day and ended on another: after
   the first, not after the second. Null: from ever, for ever. #}
{% macro weeks_while(begun_on, ended_on, alias) -%}
    cross join lateral (
        select {{ week_bound('week_from') }} + 7 * nth as week
        from generate_series(
            greatest(0, ({{ begun_on }} - {{ week_bound('week_from') }}) / 7),
            least(
                ({{ week_bound('week_to') }} - {{ week_bound('week_from') }}) / 7,
                ({{ ended_on }} - {{ week_bound('week_from') }}) / 7 - 1
            )
        ) as numbers (nth)
    ) as {{ alias }}
{%- endmacro %}


{# The first Monday whose week counts an append-only row: it has happened, and it is known. #}
{% macro counts_from(day, known_from) -%}
    {%- if setting('late_rows') == 'exclude' -%}
        greatest({{ week_of(day) }} + 7, {{ known_from }})
    {%- else -%}
        {{ week_of(day) }} + 7
    {%- endif -%}
{%- endmacro %}


{# known_from as far as it matters to the weeks asked for, so that rows that were in time for all of them group
   together. #}
{% macro known_in_range(known_from) -%}
    {%- if setting('late_rows') == 'exclude' -%}
        greatest({{ known_from }}, {{ first_as_of_day() }})
    {%- else -%}
        {{ first_as_of_day() }}
    {%- endif -%}
{%- endmacro %}


{# Where only a cohort or a segment is built: read only its accounts' rows. #}
{% macro of_accounts_in_scope(account_id) -%}
    {%- if setting('cohort') or setting('segment') -%}
        {{ account_id }} in (select account_weeks.account_id from account_weeks)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{# The rows of the weeks of the run, to select from; all rows without the vars week_from and week_to. #}
{% macro weeks_of_run(model) -%}
    (
        select *
        from {{ model }}
        {%- if setting('week_from') %}
        where week between {{ week_bound('week_from') }} and {{ week_bound('week_to') }}
        {%- endif %}
    ) as weeks_of_run
{%- endmacro %}
