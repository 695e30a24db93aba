-- One row an address and account; an address; a domain. `accounts` counts how many it could be.
create temporary table known_users on commit drop as
with addressed as materialized (
    select
        cs.address_of(email) as address,
        account_id,
        user_id
    from known_people
    where account_id <> ''
)

select
    address,
    account_id,
    min(user_id) as user_id
from addressed
where address is not null
group by address, account_id;

create temporary table known_addresses on commit drop as
select
    address,
    min(account_id) as account_id,
    count(*) as accounts
from known_users
group by address;

create temporary table known_domains on commit drop as
with given as (
    select
        split_part(address, '@', 2) as domain,
        account_id
    from known_users
    union
    select
        regexp_replace(one.domain, '^(https?://)?(www\.)?([^/:?#]+).*$', '\3') as domain,
        companies.account_id
    from known_companies as companies
    cross join lateral regexp_split_to_table(lower(companies.domain), '[\s,;]+') as one (domain)
    where one.domain <> '' and companies.account_id <> ''
)

select
    given.domain,
    min(given.account_id) as account_id,
    count(distinct given.account_id) as accounts,
    array_agg(distinct given.account_id order by given.account_id) as of_accounts
from given
left join known_free_mail as free_mail on given.domain = free_mail.domain
where free_mail.domain is null
group by given.domain;

analyze known_users;
analyze known_addresses;
analyze known_domains;
