{# Let the role of BI tools (var `reports_reader`), where the database has it, read a view of `reports` and nothing else.
   Views read with the rights of their owner, so the role needs none on what they are made of. #}
{% macro grant_to_readers() -%}
    {%- set role = setting('reports_reader') -%}
    do $grant$
    begin
        if exists (select from pg_roles where rolname = '{{ role }}') then
            grant usage on schema {{ this.schema }} to {{ adapter.quote(role) }};
            grant select on {{ this }} to {{ adapter.quote(role) }};
        end if;
    end
    $grant$
{%- endmacro %}
