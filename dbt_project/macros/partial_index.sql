{# For a post-hook: an index over some of the rows, which the `indexes` configuration cannot say. Made once for a table;
   asked of the table itself, because names are taken by the old table while a full refresh is under way. #}
{% macro partial_index(columns, condition) -%}
    {%- if execute -%}
        {%- set indexes = run_query(
            "select 1 from pg_index where indpred is not null and indrelid = cast('" ~ this ~ "' as regclass)"
        ) -%}
        {%- if not indexes.rows -%}
            create index on {{ this }} ({{ columns | join(', ') }}) where {{ condition }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
