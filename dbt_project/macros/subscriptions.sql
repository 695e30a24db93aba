{# How rows of stg_subscriptions are read at a day. #}

{# Does the period hold on the last day before `as_of_day`? An end that lies later is not known yet. #}
{% macro subscription_runs_at(as_of_day, subscription='subscriptions') -%}
    {{ subscription }}.started_on < {{ as_of_day }}
    and ({{ subscription }}.ended_on is null or {{ subscription }}.ended_on >= {{ as_of_day }})
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
