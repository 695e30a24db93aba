{# Views that a build never takes away from those who read them meanwhile.

   dbt's own materialization renames the old view and drops it `cascade`, and with it every view on top: a delivery that
   asks for marts.dim_accounts while the staging views are built finds nothing. Here a view whose columns fit is
   replaced in place, in one statement, and what stands on it stays. One whose columns changed is swapped in one
   transaction; what stood on the old one goes on reading it until it is built itself, and only then the old one goes
   (drop_replaced_views, at the end of the run). #}
{% materialization view, adapter='postgres' -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- set grants = config.get('grants') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set is_view = existing is not none and existing.is_view -%}
    {%- set fits = is_view and columns_fit(existing, sql) -%}
    {%- if existing is not none and not fits -%}
        {{ set_aside(existing) }}
    {%- endif -%}

    {% call statement('main') -%}
        {{ only_here() }}
        {{ postgres__get_replace_view_sql(target, sql) }}
    {%- endcall %}

    {% do apply_grants(target, grants, should_revoke(existing, full_refresh_mode=not fits)) %}
    {% do persist_docs(target, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{%- endmaterialization %}


{# A Citus would make every view on its servers too, where nobody asks it and not every view can be written down again; a
   plain PostgreSQL takes the setting for one of somebody's own. Sent with the statement after it. #}
{% macro only_here() -%}
    set local citus.enable_ddl_propagation = off;
{%- endmacro %}


{# Whether `create or replace view` may put `sql` in the place of a view: its columns come first, as they are. #}
{% macro columns_fit(view, sql) -%}
    {%- call statement('columns_of_sql') -%}
        {{ only_here() }}
        create temporary view {{ view.identifier }}__columns as ({{ sql }})
    {%- endcall -%}
    {%- set found = run_query(
        "select not exists ("
        ~ "select from pg_attribute as old left join pg_attribute as new"
        ~ " on new.attrelid = cast('pg_temp." ~ view.identifier ~ "__columns' as regclass) and new.attnum = old.attnum"
        ~ " and new.attname = old.attname and new.atttypid = old.atttypid and new.atttypmod = old.atttypmod"
        ~ " and new.attcollation = old.attcollation"
        ~ " where old.attrelid = cast('" ~ view ~ "' as regclass) and old.attnum > 0 and new.attname is null)"
    ) -%}
    {%- call statement('columns_of_sql_gone') -%}
        drop view pg_temp.{{ view.identifier }}__columns
    {%- endcall -%}
    {{ return(found[0][0]) }}
{%- endmacro %}


{# Rename a relation out of the way; what stands on it goes on reading it. #}
{% macro set_aside(relation) -%}
    {%- set kept = make_backup_relation(relation, relation.type) -%}
    {%- call statement('free_the_name') -%}
        alter {{ relation.type }} {{ relation }}
        rename to {{ adapter.quote(kept.identifier[:45] ~ modules.datetime.datetime.now().strftime('%H%M%S%f')) }}
    {%- endcall -%}
{%- endmacro %}


{# For the end of a run: drop what was set aside and nothing reads any more. Views on views go in turns. #}
{% macro drop_replaced_views(schemas) -%}
    {%- set turns = namespace(left=20 if execute else 0) -%}
    {%- for _ in range(20) if turns.left -%}
        {%- set unread = run_query(
            "select format('%I.%I', nspname, relname), case relkind when 'v' then 'view' else 'table' end"
            ~ " from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
            ~ " where nspname in ('" ~ schemas | join("', '") ~ "')"
            ~ " and relname ~ '__dbt_backup[0-9]{12}$' and relkind in ('v', 'r')"
            ~ " and not exists (select from pg_depend where refclassid = cast('pg_class' as regclass)"
            ~ " and refobjid = pg_class.oid and classid = cast('pg_rewrite' as regclass)"
            ~ " and objid not in (select oid from pg_rewrite where ev_class = pg_class.oid))"
        ) -%}
        {%- for row in unread.rows -%}
            {%- do run_query('drop ' ~ row[1] ~ ' if exists ' ~ row[0]) -%}
        {%- endfor -%}
        {%- set turns.left = turns.left - 1 if unread.rows else 0 -%}
    {%- endfor -%}
{%- endmacro %}
