{# A variable of dbt_project.yml, or CS_PIPELINE_DBT_<NAME> of the environment where that is set.
   Dagster sets the environment: dbt parses the whole project again when --vars change, but not for this. Nor does it
   parse a model again for what it reads while it runs, and no setting decides what a model refers to: so parsing takes
   the variable. Only where a model stands (scratch_schema) must be known then. #}
{% macro setting(name) -%}
    {%- if not execute and name != 'scratch_schema' -%}
        {{ return(var(name)) }}
    {%- endif -%}
    {{ return(env_var('CS_PIPELINE_DBT_' ~ name | upper, '') or var(name)) }}
{%- endmacro %}
