with sent as (
    select
        lower(recipient) as address,
        account_id,
        coalesce(sent_at, case when status = 'claimed' then %(now)s else due_at end) as moment
    from cs.actions
    where
        channel = any(%(channels)s::text[])
        and role = any(%(roles)s::text[])
        and status in ('sent', 'claimed', 'uncertain')
        and coalesce(sent_at, due_at) > %(since)s
        and (account_id = any(%(accounts)s::text[]) or lower(recipient) = any(%(addresses)s::text[]))
)

select
    'person',
    address,
    array_agg(moment)
from sent
group by address
union all
select
    'account',
    account_id,
    array_agg(moment)
from sent
group by account_id
