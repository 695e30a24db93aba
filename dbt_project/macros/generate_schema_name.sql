{# Schemas are named exactly as configured: staging, intermediate, marts, snapshots. With a scratch_schema all models are
   there instead; snapshots, which cannot be taken again, stay where they are. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set scratch_schema = setting('scratch_schema') if node.resource_type == 'model' else '' -%}
    {{ (scratch_schema or custom_schema_name or target.schema) | trim }}
{%- endmacro %}
