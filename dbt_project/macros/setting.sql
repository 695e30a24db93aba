{# A variable of dbt_project.yml, or CS_PIPELINE_DBT_<NAME> of the environment where that is set.
   Dagster sets the environment: dbt parses the whole project again when --vars change, but not for this. #}
{% macro setting(name) -%}
    {{ return(env_var('CS_PIPELINE_DBT_' ~ name | upper, '') or var(name)) }}
{%- endmacro %}
