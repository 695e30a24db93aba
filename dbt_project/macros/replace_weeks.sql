{# Incremental strategy `replace_weeks`: delete, then insert, within the model's one transaction. Deleted is what the
   run answers for, whether or not it comes again: all rows of the weeks; with a cohort or a segment, those rows of the
   weeks that belonged to it and those that belong to it now. dbt's own `delete+insert` deletes only rows that come
   again, so an account that turned out to have churned would stay; and it reads the whole table to find them. #}
{% macro get_incremental_replace_weeks_sql(arg_dict) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set fresh = arg_dict['temp_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ target }} as stored
    where
        stored.week between {{ week_bound('week_from') }} and {{ week_bound('week_to') }}
        {%- if setting('cohort') or setting('segment') %}
        and (
            (
                true
                {%- if setting('cohort') %}
                and stored.cohort_month = cast('{{ setting("cohort") }}-01' as date)
                {%- endif %}
                {%- if setting('segment') %}
                and stored.tier = '{{ setting("segment") }}'
                {%- endif %}
            )
            or exists (
                select 1
                from {{ fresh }} as fresh
                where fresh.week = stored.week and fresh.account_id = stored.account_id
            )
        )
        {%- endif %};

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ fresh }}
{%- endmacro %}
