{# What alert rules are made of: the moments at which they are asked, their parameters, and what was known then.
   docs/alerts.md tells how a rule is written. #}

{# The moments at which a rule is asked, column as_of: one when live, many when a past is gone over. The evaluator sets
   them for its transaction; who reads the view by hand asks about the present. To be used after `from`, with an alias. #}
{% macro moments() -%}
    (
        select cast(asked.moment as timestamptz) as as_of
        from unnest(
            string_to_array(coalesce(nullif(current_setting('cs_pipeline.moments', true), ''), cast(now() as text)), ',')
        ) as asked (moment)
    )
{%- endmacro %}


{# The parameters of a rule, a column each, one row a tier ('' where an account has none, and for rules about no
   account). `defaults` names them with their values: numbers, texts, lists of texts. What the evaluator sets for its
   transaction comes first, then cs.alert_parameters, which holds what the team's alerts.yaml says. To be used after
   `from` or `join`, with an alias; the rulebook reads the defaults from this call, so they are written out in it. #}
{% macro alert_parameters(rule, defaults) -%}
    (
        select
            {%- for name, default in defaults.items() %}
            {%- set value = "coalesce(asked.parameters -> '" ~ name ~ "', stored.parameters -> '" ~ name
                ~ "', cast('" ~ tojson(default) | replace("'", "''") ~ "' as jsonb))" %}
            {%- if default is string %}
            {{ value }} #>> '{}' as {{ name }},
            {%- elif default is number %}
            cast({{ value }} #>> '{}' as double precision) as {{ name }},
            {%- else %}
            array(select jsonb_array_elements_text({{ value }})) as {{ name }},
            {%- endif %}
            {%- endfor %}
            tiers.tier
        from (values (''), ('starter'), ('pro'), ('enterprise')) as tiers (tier)
        left join cs.alert_parameters as stored
            on stored.rule = '{{ rule }}' and tiers.tier = stored.tier
        left join lateral (
            select
                cast(nullif(current_setting('cs_pipeline.alert_parameters', true), '') as jsonb)
                #> array['{{ rule }}', tiers.tier] as parameters
        ) as asked on true
        order by tiers.tier -- so that it is read once, not at every row that is compared with it
    )
{%- endmacro %}


{# Had a row reached the warehouse by the moment? Event time (a timestamptz) stands in where `_loaded_at` is empty. #}
{% macro was_known(loaded_at, happened_at, moment) -%}
    coalesce({{ loaded_at }}, {{ happened_at }}) <= {{ moment }}
{%- endmacro %}


{# Is the row of int_accounts_over_time the one that held at the moment? One expression, so that the planner does not take
   the two bounds for two narrow conditions. #}
{% macro held_at(accounts, moment) -%}
    not coalesce({{ moment }} <= {{ accounts }}.held_from or {{ moment }} > {{ accounts }}.held_until, false)
{%- endmacro %}


{# Is the account a customer at the moment? What alert rules say of one that has left is of no use to anyone. #}
{% macro is_customer(accounts, moment) -%}
    {{ accounts }}.created_at <= {{ moment }}
    and coalesce({{ accounts }}.churned_at > {{ moment }}, true)
{%- endmacro %}


{# Whole days over which nobody asked the rule although it was due, or it had no data or an error: what the evaluator
   sets for its transaction after an outage, and else 0. Rules about what happened look back so much further. #}
{% macro days_missed() -%}
    cast(coalesce(nullif(current_setting('cs_pipeline.days_missed', true), ''), '0') as integer)
{%- endmacro %}


{# How many days a rule of nature event goes on finding what happened: a week, and what was missed. It is told once all
   the same; a tick that was missed, a pipeline that stood still and rows that come late lose nothing. #}
{% macro days_of_news() -%}
    (7 + {{ days_missed() }})
{%- endmacro %}


{# Did it happen (a timestamptz) so lately that a rule of nature event finds it at the moment? #}
{% macro is_news(happened_at, moment) -%}
    {{ happened_at }} > {{ moment }} - make_interval(days => {{ days_of_news() }})
    and {{ happened_at }} <= {{ moment }}
{%- endmacro %}


{# The same for what happened on a day: it counts from the day's beginning on. #}
{% macro is_news_of_day(happened_on, moment) -%}
    {{ happened_on }} > {{ utc_day(moment) }} - {{ days_of_news() }}
    and {{ happened_on }} <= {{ utc_day(moment) }}
{%- endmacro %}


{# Is it within `days` before the first moment, or between the moments? Narrows a large table to a range that its index
   answers, before it is joined to the moments; without it each moment would go over all of the table. #}
{% macro is_around_moments(happened_at, days) -%}
    {{ happened_at }} > (
        select min(all_moments.as_of) - make_interval(secs => 86400 * ({{ days }}))
        from {{ moments() }} as all_moments
    )
    and {{ happened_at }} <= (select max(all_moments.as_of) from {{ moments() }} as all_moments)
{%- endmacro %}


{# How many rows a rule of mode once gives in its fact `rows`, and how many users or the like another lists in its facts,
   at most: what a message shows (`show_rows`). #}
{% macro shown_rows() -%}
    20
{%- endmacro %}
