-- Of each row without an account: the account of its address, else of its domain, else why there is none.
create temporary table found on commit drop as
with addressed as materialized (
    select
        ctid as row,
        _domain,
        cs.address_of(_email) as address
    from {relation}
    where account_id is null
),

asked as materialized (
    select
        row,
        address,
        coalesce(
            nullif(regexp_replace(lower(btrim(_domain)), '^(https?://)?(www\.)?([^/:?#\s,;]+).*$', '\3'), ''),
            split_part(address, '@', 2)
        ) as domain
    from addressed
)

select
    asked.row,
    case
        when addresses.accounts = 1 then addresses.account_id
        when addresses.accounts is null and free_mail.domain is null and domains.accounts = 1 then domains.account_id
    end as account_id,
    case
        when addresses.accounts = 1 then 'address'
        when addresses.accounts > 1 then 'several'
        when free_mail.domain is not null then 'free mail'
        when domains.accounts = 1 then 'domain'
        when domains.accounts > 1 then 'several'
        when asked.domain is null then 'nothing'
        else 'nobody'
    end as found_by,
    asked.domain
from asked
left join known_addresses as addresses on asked.address = addresses.address
left join known_domains as domains on asked.domain = domains.domain
left join known_free_mail as free_mail on asked.domain = free_mail.domain
