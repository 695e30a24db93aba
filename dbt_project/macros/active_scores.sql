{# The score that counts, one row per account and week, with whether its model calls the account at risk. Lineage is that of
   the table behind the view. To be used after `from`. #}
{% macro active_scores() -%}
    {%- do source('cs', 'health_scores') -%}
    cs.active_scores
{%- endmacro %}
