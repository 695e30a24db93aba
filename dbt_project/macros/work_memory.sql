{# For a pre-hook: memory enough to hash what grows with the number of accounts, for this transaction only. #}
{% macro more_work_mem() -%}
    select set_config('work_mem', greatest(setting::integer, 65536) || 'kB', true)
    from pg_settings where name = 'work_mem'
{%- endmacro %}
