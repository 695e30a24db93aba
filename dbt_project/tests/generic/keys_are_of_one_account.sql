{# No row that the newest load of a canonical table brought, or anybody since, has the key of a row of another account.
   Keys are unique over all accounts, of which no index can tell where tables are cut by account; loads keep it so. What
   earlier loads brought was looked at after them: to read it again would be to read all history every week. `model` is
   the staging view on which everything else rests. #}
{% test keys_are_of_one_account(model) %}

with twice as (
    {%- for node in (graph.sources or {}).values()
        if node.source_name == 'raw' and stored_key(node) != key_of(node) and execute and source_exists(node.name) %}
    select
        '{{ node.identifier }}' as table_name,
        newest.{{ key_of(node) | join(" || ' ' || newest.") }} as key,
        newest.account_id
    from {{ source('raw', node.name) }} as newest
    where
        newest._load_id >= (
            select max(loads.load_id)
            from cs.loads
            where loads.source_table = '{{ node.name }}'
        )
        and exists (
            select 1
            from {{ source('raw', node.name) }} as other
            where
                {%- for column in key_of(node) %}
                newest.{{ column }} = other.{{ column }} and
                {%- endfor %}
                newest.account_id <> other.account_id
        )
    union all
    {%- endfor %}
    select
        null as table_name,
        null as key,
        null as account_id
    where false
)

select * from twice

{% endtest %}
