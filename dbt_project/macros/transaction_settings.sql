{# For a pre-hook: memory enough to hash what grows with the number of accounts, for this transaction only. #}
{% macro more_work_mem() -%}
    select set_config('work_mem', greatest(setting::integer, 65536) || 'kB', true)
    from pg_settings where name = 'work_mem'
{%- endmacro %}


{# For a pre-hook: join by hash alone, for this transaction only. Of days that were loaded since a table was analyzed, and
   of a temporary table, PostgreSQL does not know how many rows they have: it would go through all accounts of a day for
   each of them. #}
{% macro join_by_hash() -%}
    set local enable_nestloop = off;
    set local enable_mergejoin = off
{%- endmacro %}
