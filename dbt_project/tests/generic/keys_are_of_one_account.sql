{# No row that the newest load of a canonical table brought, or anybody since, has the key of a row of another account.
   Keys are unique over all accounts, of which no index can tell where tables are cut by account; loads keep it so. What
   earlier loads brought was looked at after them: to read it again would be to read all history every week. `model` is
   the staging view on which everything else rests.

   The keys are looked up as an array: PostgreSQL would read the whole table for a join with them, and the servers of a
   Citus could not join it at all. Of a load of more than a million rows, that many are looked at: an array has an end.

   In a table that is kept by month they are looked up in the months from two weeks before the load's earliest row on:
   there loads look for them, and a key that comes again further off is another row. #}
{% test keys_are_of_one_account(model) %}

select
    cast(null as text) as table_name,
    cast(null as text) as key,
    cast(null as text) as account_id,
    cast(null as text) as other_account_id
where false
{%- for node in (graph.sources or {}).values()
    if execute and node.source_name == 'raw' and stored_key(node) != key_of(node) and source_exists(node.name) %}
{%- set key = key_of(node) | join(', ') %}
union all
select
    '{{ node.name }}' as table_name,
    concat_ws(' ', {{ key }}) as key,
    min(account_id) as account_id,
    max(account_id) as other_account_id
from {{ source('raw', node.name) }}
where
    {%- if node.config.meta.get('by_month') or node.meta.get('by_month') %}
    occurred_at >= (
        select min(occurred_at) - interval '14 days'
        from {{ source('raw', node.name) }}
        where
            _load_id >= (
                select max(loads.load_id)
                from cs.loads
                where loads.source_table = '{{ node.name }}'
            )
    )
    and {% endif %}({{ key }}) = any(
        array(
            select ({{ key }})
            from {{ source('raw', node.name) }}
            where
                _load_id >= (
                    select max(loads.load_id)
                    from cs.loads
                    where loads.source_table = '{{ node.name }}'
                )
            limit 1000000
        )
    )
group by {{ key }}
having min(account_id) <> max(account_id)
{%- endfor %}

{% endtest %}
