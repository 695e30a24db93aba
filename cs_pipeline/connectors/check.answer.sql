-- How each was found, or why not.
create temporary table answered on commit drop as
select
    asked.source,
    coalesce(nullif(btrim(asked.account_id), ''), asked._email, asked._domain, '(nothing)') as who,
    asked.rows,
    asked.money,
    case
        when nullif(btrim(asked.account_id), '') is null then coalesce(found.found_by, 'nothing')
        when known_accounts.account_id is not null then 'id'
        else 'unknown id'
    end as found_by
from asked
left join found on asked.ctid = found.row
left join known_accounts on btrim(asked.account_id) = known_accounts.account_id
