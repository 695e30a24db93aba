{# Where tables are spread over the servers of a Citus (`cs-pipeline warehouse distribute`), each server makes what dbt
   builds of its own accounts. Nothing of this happens on a plain PostgreSQL: that it is one is in dbt's cache of
   relations, asked once a run.

   Citus hands a statement on whole where all that it reads is cut by account and joined by account. What has a name in
   `with` and is worked out first it brings to the coordinator and sends to every server instead, and what is nested deep
   it takes apart so. Therefore a table is built in steps, each a statement that is handed on, and of each the rows stay
   where they are: the ephemeral models that it reads, and in these what is named `table_where_spread()`. #}

{# Are tables of this database spread over several servers? #}
{% macro is_spread() -%}
    {{ return(adapter.get_relation(target.database, 'cs', 'spread_tables') is not none) }}
{%- endmacro %}


{# SQL that is needed there alone, such as a `limit 1` in `exists`: all rows of it come together first. #}
{% macro where_spread(sql) -%}
    {{ return(sql if execute and is_spread() else '') }}
{%- endmacro %}


{# To put behind `name as` in a model: a step of its own where tables are spread. #}
{% macro table_where_spread() -%}
    {{ return(where_spread(' materialized')) }}
{%- endmacro %}


{# dbt's own, but for spread tables: there a table is cut by account before it has rows. A temporary table cannot be. #}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if is_spread() and relation.schema -%}
        {{ spread_table_as(relation, in_steps(sql), config.get('contract').enforced and not temporary) }}
    {%- else -%}
        {{ dbt.postgres__create_table_as(temporary, relation, with_analyzed_parts(sql)) }}
    {%- endif -%}
{%- endmacro %}


{# The new rows of an incremental model: dbt's temporary table, but a spread one where tables are spread. #}
{% macro postgres__make_temp_relation(base_relation, suffix) -%}
    {%- if is_spread() and config.get('materialized') == 'incremental' -%}
        {{ return(dbt.postgres__make_relation_with_suffix(base_relation, suffix, dstring=True)) }}
    {%- else -%}
        {{ return(dbt.postgres__make_temp_relation(base_relation, suffix)) }}
    {%- endif -%}
{%- endmacro %}


{# For a post-hook: drop the tables of the steps, and of the new rows. #}
{% macro drop_steps() -%}
    {%- if execute and model.config.materialized in ('table', 'incremental') and is_spread() -%}
        {%- set steps = run_query(
            "select format('%I.%I', nspname, relname) from pg_class"
            ~ " inner join pg_namespace on pg_namespace.oid = relnamespace"
            ~ " where nspname = '" ~ this.schema ~ "' and relkind = 'r' and relname ~ '^" ~ this.identifier
            ~ "__dbt_tmp[0-9]{12}$'"
        ).columns[0].values() -%}
        {%- if steps -%}
            drop table {{ steps | join(', ') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# The statements that make a table whose rows stay on the servers they come from. With `is_promised` its columns are
   those of the model's contract. #}
{% macro spread_table_as(relation, sql, is_promised=false) -%}
    {%- if is_promised %}
        create table {{ relation }} {{ get_assert_columns_equivalent(sql) }} {{ get_table_columns_and_constraints() }};
    {%- else %}
        create temporary view {{ relation.identifier }}__columns as ({{ sql }});
        create table {{ relation }} (like {{ relation.identifier }}__columns);
        drop view {{ relation.identifier }}__columns;
    {%- endif %}
    select create_distributed_table(attrelid, 'account_id', colocate_with => 'cs.health_scores')
    from pg_attribute
    where attrelid = cast('{{ relation }}' as regclass) and attname = 'account_id';
    insert into {{ relation }}
    {%- if is_promised %} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
    {{ get_select_subquery(sql) }}
    {%- else %}
    {{ sql }}
    {%- endif -%}
{%- endmacro %}


{# Makes the steps before the last, and returns the last: the model's SQL, in which each of those before is a table. #}
{% macro in_steps(sql) -%}
    {%- set steps = namespace(last=sql, made=[]) -%}
    {%- for ephemeral in model.extra_ctes or [] -%}
        {%- set name = ephemeral.sql.split() | first -%}
        {%- set body = namespace(sql=ephemeral.sql[ephemeral.sql.index('(') + 1:ephemeral.sql.rindex(')')]) -%}
        {%- for earlier, table in steps.made -%}
            {%- set body.sql = body.sql.replace(earlier, table | string) -%}
        {%- endfor -%}
        {%- set table = make_step(in_steps_of(body.sql)) -%}
        {%- do steps.made.append((name, table)) -%}
        {%- set steps.last = steps.last.replace(ephemeral.sql, name ~ ' as (select * from ' ~ table ~ ')') -%}
    {%- endfor -%}
    {{ return(in_steps_of(steps.last) if ' as materialized (' in steps.last else steps.last) }}
{%- endmacro %}


{# The same with what a model names itself. The rest of that is written out where it is read. #}
{% macro in_steps_of(sql) -%}
    {%- set last = namespace(sql=modules.re.sub('(?m)^(\w+) as \($', '\\1 as not materialized (', sql)) -%}
    {%- for name in modules.re.findall('(?m)^(\w+) as materialized \($', sql) -%}
        {%- set step = modules.re.search('(?ms)^' ~ name ~ ' as materialized \($.*?^\)', last.sql) -%}
        {%- set until_it = last.sql[:step.start()] ~ step.group().replace('materialized', 'not materialized', 1) -%}
        {%- set table = make_step(until_it ~ '\nselect * from ' ~ name) -%}
        {%- set last.sql = last.sql[:step.start()]
            ~ name ~ ' as not materialized (select * from ' ~ table ~ ')' ~ last.sql[step.end():] -%}
    {%- endfor -%}
    {{ return(last.sql) }}
{%- endmacro %}


{% macro make_step(sql) -%}
    {%- set table = dbt.postgres__make_relation_with_suffix(this, '__dbt_tmp', dstring=True) -%}
    {%- do run_query(spread_table_as(table, sql)) -%}
    {%- do run_query('analyze ' ~ table) -%}
    {{ return(table) }}
{%- endmacro %}
