{# For a post-hook: analyze the table when it was never analyzed, or grew by a fifth since. What it holds is read right
   after, and of rows without statistics PostgreSQL expects next to none. Analyzing a wide table costs seconds, so a week
   more is no reason, and of one that grew PostgreSQL is told `columns`, by which rows are found and joined: what the
   others hold changes slowly, and autovacuum sees to it. #}
{% macro analyze_grown(columns) -%}
    {%- if execute -%}
        {%- set known = run_query(
            "select reltuples < 0 as is_new,"
            ~ " pg_relation_size(oid) > 1.2 * relpages * cast(current_setting('block_size') as integer) as is_grown"
            ~ " from pg_class where oid = cast('" ~ this ~ "' as regclass)"
        ).rows[0] -%}
        {%- if known['is_new'] -%}
            analyze {{ this }}
        {%- elif known['is_grown'] -%}
            analyze {{ this }} ({{ columns | join(', ') }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
