{# What several alert rules ask in the same words: windows of whole days before a moment, the week that ended, and
   whether a text speaks of something. What rules are made of is in macros/alerts.sql. #}

{# Is the day among the `days` whole UTC days before the moment? With `skip`, among those before the last `skip` days. #}
{% macro in_last_days(day, moment, days, skip=0) -%}
    {{ day }} >= {{ utc_day(moment) }} - cast({{ days }} + {{ skip }} as integer)
    and {{ day }} < {{ utc_day(moment) }} - cast({{ skip }} as integer)
{%- endmacro %}


{# The same for all moments of the CTE `asked`, whose column `days` is how far back each looks: a range that an index on
   the day can read, which the planner cannot make of the join with the moments. #}
{% macro in_days_asked(day, days) -%}
    {{ day }} >= (select min({{ utc_day('asked.as_of') }} - cast({{ days }} as integer)) from asked)
    and {{ day }} < (select max({{ utc_day('asked.as_of') }}) from asked)
{%- endmacro %}


{# The newest week of fct_account_weeks or cs.health_scores that had ended at the moment, by its Monday. #}
{% macro last_week_before(moment) -%}
    ({{ week_of(utc_day(moment)) }} - 7)
{%- endmacro %}


{# Does the text speak of one of the words or phrases (an array of text)? Whole words, whatever the case and the marks
   between them; a phrase that is not written in Latin letters is found anywhere, because not every script has spaces. #}
{% macro mentions(words_said, phrases) -%}
    exists (
        select 1
        from unnest({{ phrases }}) as phrases (phrase)
        where
            strpos(
                ' ' || regexp_replace(lower({{ words_said }}), '[^[:alnum:]]+', ' ', 'g') || ' ',
                ' ' || trim(regexp_replace(lower(phrases.phrase), '[^[:alnum:]]+', ' ', 'g')) || ' '
            ) > 0
            or (phrases.phrase ~ '[^\u0001-\u024F]' and strpos(lower({{ words_said }}), lower(phrases.phrase)) > 0)
    )
{%- endmacro %}
