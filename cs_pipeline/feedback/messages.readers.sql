-- Who is told of what was routed just now, a row a reader and item; a temporary table.
create temporary table told_now on commit drop as
with

fixed as (

    select
        role,
        recipient
    from unnest(%(roles)s::text[], %(recipients)s::text[]) as fixed (role, recipient)

),

sent as (

    select
        routed_now.said_in,
        routed_now.source_id,
        routed_now.account_id,
        unnest(routed_now.sent_to) as role
    from routed_now
    where routed_now.is_told

),

found as (

    select
        sent.said_in,
        sent.source_id,
        sent.role,
        coalesce(
            case sent.role
                when 'owner' then cs.address_of(coalesce(accounts.owner_email, accounts.manager_email))
                when 'manager' then cs.address_of(coalesce(accounts.manager_email, accounts.executive_email))
                when 'executive' then cs.address_of(coalesce(accounts.executive_email, accounts.manager_email))
                else coalesce(fixed.recipient, sent.role)
            end,
            %(team_channel)s
        ) as recipient
    from sent
    left join fixed on sent.role = fixed.role
    left join marts.dim_accounts as accounts on sent.account_id = accounts.account_id

),

readers as (

    select
        said_in,
        source_id,
        recipient,
        min(role) as role
    from found
    group by said_in, source_id, recipient

)

select
    readers.*,
    count(*) over (partition by readers.recipient) as items,
    count(*) filter (where routed_now.priority in ('urgent', 'high')) over (partition by readers.recipient) as pressing,
    row_number() over (
        partition by readers.recipient
        order by
            array_position(%(priorities)s::text[], routed_now.priority) asc,
            accounts.arr desc nulls last,
            routed_now.said_at asc,
            routed_now.source_id asc
    ) as nth
from readers
inner join routed_now on readers.said_in = routed_now.said_in and readers.source_id = routed_now.source_id
left join marts.dim_accounts as accounts on routed_now.account_id = accounts.account_id
