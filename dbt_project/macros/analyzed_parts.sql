{# The model's SQL, in which each ephemeral model of `analyzed_parts` of its `meta` is a temporary table that has been
   analyzed.

   Of a part of a statement PostgreSQL knows no statistics. It takes each of many joins by account and week for one that
   multiplies the rows: of a million accounts it expects so many that it cuts a join into a hundred thousand files, and
   does not end. With statistics of the first part it knows that each later one has at most a row for each of its rows. #}
{% macro with_analyzed_parts(sql) -%}
    {%- set whole = namespace(sql=sql) -%}
    {%- for ephemeral in model.extra_ctes or []
        if ephemeral.id.split('.') | last in config.get('meta', {}).get('analyzed_parts', []) -%}
        {%- set name = ephemeral.sql.split() | first -%}
        {%- set body = ephemeral.sql[ephemeral.sql.index('(') + 1:ephemeral.sql.rindex(')')] -%}
        {%- set table = make_analyzed_table(ephemeral.id.split('.') | last, body) -%}
        {%- set part = name ~ ' as not materialized (select * from ' ~ table ~ ')' -%}
        {%- set whole.sql = whole.sql.replace(ephemeral.sql, part) -%}
    {%- endfor -%}
    {{ return(whole.sql) }}
{%- endmacro %}


{# Makes what `sql` selects a temporary table of the model that has been analyzed, and returns its name. #}
{% macro make_analyzed_table(part, sql) -%}
    {%- set table = this.identifier ~ '__' ~ part -%}
    {%- do run_query(
        'drop table if exists pg_temp.' ~ table ~ '; create temporary table ' ~ table ~ ' as ' ~ sql
        ~ '; analyze ' ~ table
    ) -%}
    {{ return('pg_temp.' ~ table) }}
{%- endmacro %}
