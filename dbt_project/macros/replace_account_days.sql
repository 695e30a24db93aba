{# Incremental strategy `replace_account_days`: what is stored of an account on a day, in columns account_id and
   `unique_key`, is replaced whole, for each that the new rows name. A row without a newest_load_id only names them:
   nothing is inserted for it.

   What `delete+insert` does, but with the days as an array beside the join: they are read by the index on the day,
   whereas a join with an unanalyzed temporary table alone reads all history. Rows are inserted in the order of the largest
   index, so that each of its pages is looked for once. #}
{% macro get_incremental_replace_account_days_sql(arguments) -%}
    {%- set target = arguments['target_relation'] -%}
    {%- set new_rows = arguments['temp_relation'] -%}
    {%- set day = arguments['unique_key'] -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }} as stored
    using {{ new_rows }} as touched
    where
        touched.newest_load_id is null
        and stored.account_id = touched.account_id
        and stored.{{ day }} = touched.{{ day }}
        and stored.{{ day }} = any(array(select distinct {{ day }} from {{ new_rows }}));

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ new_rows }}
    where newest_load_id is not null
    order by account_id, {{ day }}
{%- endmacro %}
