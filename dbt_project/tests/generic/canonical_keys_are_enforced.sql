{# Each canonical table that is there has a unique index on its key and the account, no column of which may be empty. So
   no key of a staging view, which has a row for each row of its table, is empty, or repeats within an account; that none
   is in two accounts is kept by loads, and looked at by `keys_are_of_one_account`. To look for such keys in the views
   would read all history every week. `model` is the staging view on which everything else rests. #}
{% test canonical_keys_are_enforced(model) %}

with keys (table_name, key_columns) as (
    values
    {%- for node in (graph.sources or {}).values() if node.source_name == 'raw' %}
        ('{{ node.identifier }}', array['{{ stored_key(node) | sort | join("', '") }}'])
        {{- ',' if not loop.last }}
    {%- else %}
        (null, cast(null as text[]))
    {%- endfor %}
),

enforced as (
    select
        pg_index.indrelid,
        array(
            select cast(pg_attribute.attname as text)
            from pg_attribute
            where
                pg_attribute.attrelid = pg_index.indrelid
                and pg_attribute.attnum = any(pg_index.indkey)
                and pg_attribute.attnotnull
            order by cast(pg_attribute.attname as text) collate "C"
        ) as key_columns
    from pg_index
    where pg_index.indisunique and pg_index.indisvalid and pg_index.indpred is null and pg_index.indexprs is null
)

select
    keys.table_name,
    array_to_string(keys.key_columns, ', ') as key_without_a_unique_index
from keys
cross join to_regclass('{{ var("raw_schema", "raw") }}.' || keys.table_name) as found (relation)
where
    found.relation is not null
    and not exists (
        select 1
        from enforced
        where enforced.indrelid = found.relation and enforced.key_columns = keys.key_columns
    )

{% endtest %}
