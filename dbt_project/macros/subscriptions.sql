{# How subscription periods are read. What a term and a renewal are is told in docs/contracts.md. #}

{# Days that a renewal may come before the end or the renewal date of its term, and after it. #}
{% macro renewal_tolerance_days() -%}
    30
{%- endmacro %}


{# The day, or null where it stands for "for ever", such as 9999-12-31 or 2099-12-31: from 2050 on, 20 years or more after
   the start. #}
{% macro not_for_ever(day) -%}
    case when {{ day }} < date '2050-01-01' or {{ day }} < started_on + 7305 then {{ day }} end
{%- endmacro %}


{# First day on which a term no longer counts: its successor takes its place, earlier than its end or later. #}
{% macro held_until(term='terms') -%}
    coalesce({{ term }}.successor_started_on, {{ term }}.ended_on)
{%- endmacro %}


{# Does the term count on the last day before `as_of_day`? #}
{% macro term_holds_at(as_of_day, term='terms') -%}
    {{ term }}.started_on < {{ as_of_day }}
    and ({{ held_until(term) }} is null or {{ held_until(term) }} >= {{ as_of_day }})
{%- endmacro %}


{# The next day, from `day` on, on which a term renews. What renews by itself moves on by `every_months`; without
   those the date stays where it is. #}
{% macro next_renewal(renews_on, every_months, day) -%}
    {%- set months -%}
        cast(
            (extract(year from {{ day }}) - extract(year from {{ renews_on }})) * 12
            + extract(month from {{ day }}) - extract(month from {{ renews_on }}) as integer
        )
    {%- endset -%}
    {%- set laps = months ~ ' / ' ~ every_months -%}
    case
        when {{ every_months }} is null or {{ renews_on }} >= {{ day }} then {{ renews_on }}
        when {{ renews_on }} + make_interval(months => {{ laps }} * {{ every_months }}) >= {{ day }}
            then cast({{ renews_on }} + make_interval(months => {{ laps }} * {{ every_months }}) as date)
        else cast({{ renews_on }} + make_interval(months => ({{ laps }} + 1) * {{ every_months }}) as date)
    end
{%- endmacro %}


{# MRR that recurs: a trial has none, whatever price stands on it. #}
{% macro recurring_mrr(subscription='subscriptions') -%}
    case when {{ subscription }}.is_trial then 0 else {{ subscription }}.mrr end
{%- endmacro %}


{# The order of an account's periods by how much they count: paid before trial, then by MRR, then the newest. Plan and
   tier are read from the first base period. #}
{% macro most_important_first(subscription='subscriptions') -%}
    {{ subscription }}.is_trial asc,
    {{ subscription }}.mrr desc,
    {{ subscription }}.started_on desc,
    {{ subscription }}.subscription_id asc
{%- endmacro %}


{# Is the renewal (a row of int_renewal_dates) ahead at the moment? The term runs, its renewal date is the next one, and
   no renewal had arrived. Ends that lie ahead are not looked at: who asks about a past moment cannot tell since when
   they were known. #}
{% macro renewal_is_ahead(renewals, moment) -%}
    {{ renewals }}.since < {{ utc_day(moment) }}
    and {{ renewals }}.renewal_date >= {{ utc_day(moment) }}
    and coalesce({{ renewals }}.ended_on > {{ utc_day(moment) }}, true)
    and coalesce({{ renewals }}.successor_known_at > {{ moment }}, true)
    and {{ was_known(renewals ~ '._loaded_at', utc_midnight(renewals ~ '.started_on'), moment) }}
{%- endmacro %}
