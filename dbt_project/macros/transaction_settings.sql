{# For a pre-hook: memory enough to hash what grows with the number of accounts, for this transaction only. #}
{% macro more_work_mem() -%}
    select set_config('work_mem', greatest(setting::integer, 65536) || 'kB', true)
    from pg_settings where name = 'work_mem'
{%- endmacro %}


{# For a pre-hook: join by hash or in order, for this transaction only. Of days that were loaded since the table was
   analyzed PostgreSQL expects next to no rows, and would go through all touched accounts for each of them. #}
{% macro never_loop_over_rows() -%}
    set local enable_nestloop = off
{%- endmacro %}
