-- Rows of mappings by whom they are about, and the accounts there are.
create temporary table asked (
    source text,
    account_id text,
    _email text,
    _domain text,
    rows bigint,
    money double precision
) on commit drop;
create temporary table known_accounts (account_id text) on commit drop;
