-- Items that were routed just now by a rule that asks for a task, with who is to have it (see tasks.py).
with asked as (

    select
        rule,
        role,
        address
    from unnest(%(rules)s::text[], %(roles)s::text[], %(addresses)s::text[]) as asked (rule, role, address)

),

found as (

    select
        routed_now.said_in,
        routed_now.source_id,
        routed_now.account_id,
        routed_now.rule,
        routed_now.feature,
        routed_now.tier,
        routed_now.words,
        routed_now.priority,
        routed_now.days_to_renewal,
        accounts.account_name,
        accounts.arr,
        asked.role,
        case asked.role
            when 'owner' then cs.address_of(coalesce(accounts.owner_email, accounts.manager_email))
            when 'manager' then cs.address_of(coalesce(accounts.manager_email, accounts.executive_email))
            when 'executive' then cs.address_of(coalesce(accounts.executive_email, accounts.manager_email))
            else asked.address
        end as assignee
    from routed_now
    inner join asked on routed_now.rule = asked.rule
    left join marts.dim_accounts as accounts on routed_now.account_id = accounts.account_id
    where routed_now.is_told

)

select *
from found
where assignee is not null
order by said_in, source_id
