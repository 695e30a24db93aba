-- Accounts by any part of their name: with pg_trgm, which PostgreSQL brings along and lets every owner of a database
-- install. Where it is missing, or may not be installed, a search reads every name instead: among 1,000,000 accounts
-- half a second.
do $$
declare
    operators text;
begin
    begin
        create extension if not exists pg_trgm schema cs;
    exception
        when others then
            raise notice 'pg_trgm is not installed (%); accounts are searched without an index', sqlerrm;
    end;
    select format('%I.gin_trgm_ops', pg_namespace.nspname) into operators
    from pg_extension
    inner join pg_namespace on pg_extension.extnamespace = pg_namespace.oid
    where pg_extension.extname = 'pg_trgm';
    if operators is not null then
        execute format(
            'create index account_overview_by_part_of_name on cs.account_overview using gin (name_rank %s)', operators
        );
    end if;
end
$$;
