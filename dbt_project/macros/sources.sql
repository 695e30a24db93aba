{# The canonical table when it exists in the warehouse, else an empty select with the columns of the contract.
   To be used after `from`; the caller gives no alias. #}
{% macro source_or_absent(table) -%}
    {%- set relation = source('raw', table) -%}
    {%- if not execute or source_exists(table) -%}
        {{ as_known(relation) }}
    {%- else -%}
        (
            select
                {%- for column in contract_columns(table) %}
                cast(null as {{ column.data_type }}) as {{ column.name }},
                {%- endfor %}
                cast(null as bigint) as _load_id
            where false
        ) as {{ table }}
    {%- endif -%}
{%- endmacro %}


{# A canonical table, or with the setting known_at those of its rows that had arrived before that moment. To be used
   after `from`; the caller gives no alias. Rows that do not say when they arrived are left to their event time. #}
{% macro as_known(relation) -%}
    {%- if setting('known_at') -%}
        (
            select *
            from {{ relation }}
            where _loaded_at is null or _loaded_at < cast('{{ setting("known_at") }}' as timestamptz)
        ) as {{ relation.identifier }}
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}


{# SQL literal: does the warehouse have this canonical table? Metrics of an absent table are null, not zero. #}
{% macro has_source(table) -%}
    {{ 'true' if execute and source_exists(table) else 'false' }}
{%- endmacro %}


{# dbt writes the relations of a schema into its cache one by one; another thread that asks meanwhile is told that those
   to come do not exist. So only the database itself is believed that a table is absent. #}
{% macro source_exists(table) -%}
    {%- set relation = source('raw', table) -%}
    {%- set exists = adapter.get_relation(relation.database, relation.schema, relation.identifier) is not none -%}
    {%- if not exists -%}
        {%- set found = run_query("select to_regclass('" ~ relation.include(database=false) ~ "') is not null") -%}
        {%- set exists = found.rows[0][0] -%}
    {%- endif -%}
    {{ return(exists) }}
{%- endmacro %}


{# Columns of a canonical table as the source contract declares them. #}
{% macro contract_columns(table) -%}
    {%- for node in graph.sources.values() if node.source_name == 'raw' and node.name == table -%}
        {{ return(node.columns.values() | list) }}
    {%- endfor -%}
{%- endmacro %}


{# Columns of the key of a canonical table, as the source contract declares it; `node` is its entry in the graph. #}
{% macro key_of(node) -%}
    {{ return(node.config.meta['key'] or node.meta['key']) }}
{%- endmacro %}


{# Columns of its primary key: those, and the account, so that the table can be cut by account, and the time of a table
   that is kept by month. #}
{% macro stored_key(node) -%}
    {%- set account = ['account_id'] if 'account_id' in node.columns and 'account_id' not in key_of(node) else [] -%}
    {%- set time = ['occurred_at'] if node.config.meta.get('by_month') or node.meta.get('by_month') else [] -%}
    {{ return(key_of(node) + account + time) }}
{%- endmacro %}
