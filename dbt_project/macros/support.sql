{# How soon tickets are answered: hours in which clocks run, and what the clocks are held against. docs/support.md tells
   what each parameter of dbt_project.yml means. #}

{# The hours in which support answers (opens_at, closes_at, minutes_before); no row: day and night. Kept by
   cs_pipeline/alerts/support_hours.py. To be used after `from`, with an alias. #}
{% macro support_hours() -%}
    cs.support_hours
{%- endmacro %}


{# Active scores, for who asks whether an account was critical when a clock started. Not by source(): the view is built
   before scores are, and asked after. To be used after `from`, with an alias. #}
{% macro scores_of_accounts() -%}
    cs.health_scores
{%- endmacro %}


{# Minutes in which support answers, from the first interval up to a moment. #}
{% macro support_minutes_until(moment) -%}
    (
        select
            hours.minutes_before
            + extract(epoch from least({{ moment }}, hours.closes_at) - hours.opens_at) / 60
        from {{ support_hours() }} as hours
        where hours.opens_at <= {{ moment }}
        order by hours.opens_at desc
        limit 1
    )
{%- endmacro %}


{# The moment at which so many minutes of support hours have passed since the first interval; null beyond the last. #}
{% macro moment_of_support_minutes(minutes) -%}
    (
        select hours.opens_at + make_interval(secs => 60 * ({{ minutes }} - hours.minutes_before))
        from {{ support_hours() }} as hours
        where
            hours.minutes_before < {{ minutes }}
            and hours.minutes_before + extract(epoch from hours.closes_at - hours.opens_at) / 60 >= {{ minutes }}
        order by hours.opens_at desc
        limit 1
    )
{%- endmacro %}


{# What a rule of the ladder tells of a ticket of fct_ticket_sla. #}
{% macro facts_of_ticket(ticket) -%}
    jsonb_build_object(
        'subject', left({{ ticket }}.subject, 200),
        'why', {{ ticket }}.why,
        'tier', {{ ticket }}.sla_tier,
        'target_minutes', {{ ticket }}.target_minutes,
        'due_at', {{ ticket }}.due_at,
        'state', {{ ticket }}.state,
        'arr', {{ ticket }}.arr
    )
{%- endmacro %}
