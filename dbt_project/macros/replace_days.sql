{# Incremental strategy `replace_days`: the days that the new rows hold, in column `unique_key`, are replaced whole. A
   row without a newest_load_id only names a day: nothing is inserted for it.

   What `delete+insert` does, but with the days as an array: it is read by the index on the day, whereas a join with an
   unanalyzed temporary table reads all history. #}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set target = arguments['target_relation'] -%}
    {%- set new_rows = arguments['temp_relation'] -%}
    {%- set day = arguments['unique_key'] -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }}
    where {{ day }} = any(array(select distinct {{ day }} from {{ new_rows }}));

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ new_rows }}
    where newest_load_id is not null
{%- endmacro %}
