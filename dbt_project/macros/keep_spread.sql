{# For a post-hook: where tables are spread over the servers of a Citus (`cs-pipeline warehouse distribute`), a table with
   account_id that was built anew is cut by account, like all others. Nothing on a plain PostgreSQL: that it is one is in
   dbt's cache of relations, asked once a run. #}
{% macro keep_spread() -%}
    {%- if execute and model.config.materialized in ('table', 'incremental', 'snapshot') and is_spread() -%}
        select create_distributed_table(attrelid, 'account_id', colocate_with => 'cs.health_scores')
        from pg_attribute
        where
            attrelid = cast('{{ this }}' as regclass)
            and attname = 'account_id'
            and not exists (select from pg_dist_partition where logicalrelid = attrelid)
    {%- endif -%}
{%- endmacro %}


{# Are tables of this database spread over several servers? #}
{% macro is_spread() -%}
    {{ return(adapter.get_relation(target.database, 'cs', 'spread_tables') is not none) }}
{%- endmacro %}
