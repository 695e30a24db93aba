{# For a post-hook: analyze the table when it was never analyzed, or grew by a fifth since. What it holds is read right
   after, and of rows without statistics PostgreSQL expects next to none. Analyzing a wide table costs seconds, so a week
   more is no reason. #}
{% macro analyze_grown() -%}
    {%- if execute -%}
        {%- set grown = run_query(
            "select 1 from pg_class where oid = cast('" ~ this ~ "' as regclass) and (reltuples < 0"
            ~ " or pg_relation_size(oid) > 1.2 * relpages * cast(current_setting('block_size') as integer))"
        ) -%}
        {%- if grown.rows -%}
            analyze {{ this }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
