{# Let the role of BI tools (var `reports_reader`), where the database has it, read a view of `reports` and nothing else.
   Views read with the rights of their owner, so the role needs none on what they are made of. Views are built side by
   side, and PostgreSQL refuses two grants on one schema at once: they wait for each other. #}
{% macro grant_to_readers() -%}
    {%- set role = setting('reports_reader') -%}
    do $grant$
    begin
        if exists (select from pg_roles where rolname = '{{ role }}') then
            perform pg_advisory_xact_lock(hashtext('{{ this.schema }} readers'));
            if not has_schema_privilege('{{ role }}', '{{ this.schema }}', 'usage') then
                grant usage on schema {{ this.schema }} to {{ adapter.quote(role) }};
            end if;
            grant select on {{ this }} to {{ adapter.quote(role) }};
        end if;
    end
    $grant$
{%- endmacro %}
