-- Customers: the role itself, else whoever knows the account best, else any of its users; but what is for one user goes
-- to that user or nobody. Ours: the person of the role, else the one beside or above; channels that fall back to the
-- team go to its channel, others have nobody left.
with wanted as (
    select
        position,
        account_id,
        role,
        channel,
        user_id
    from unnest(
        %(positions)s::integer[], %(account_ids)s::text[], %(roles)s::text[], %(channels)s::text[], %(user_ids)s::text[]
    ) as wanted (position, account_id, role, channel, user_id)
),

fallbacks (role, candidate, rank) as (
    select
        role,
        candidate,
        rank
    from unnest(%(customer_roles)s::text[]) as roles (role)
    cross join
        lateral unnest(array[role, 'champion', 'point_of_contact', 'primary'])
        with ordinality as candidates (candidate, rank)
    where role <> %(user_role)s
),

contacts as (
    select distinct on (wanted.position)
        wanted.position,
        contacts.email,
        contacts.user_id,
        contacts.full_name
    from wanted
    inner join fallbacks on wanted.role = fallbacks.role
    inner join marts.dim_contacts as contacts
        on
            wanted.account_id = contacts.account_id
            and fallbacks.candidate = contacts.role
    where
        contacts.account_id = any(%(account_ids)s::text[])
        and contacts.email <> ''
        and coalesce(contacts.deleted_at > %(now)s, true)
        and coalesce(contacts.started_on <= %(today)s, true)
        and coalesce(contacts.ended_on > %(today)s, true)
    order by wanted.position asc, fallbacks.rank asc, contacts.started_on desc nulls last, contacts.user_id asc
),

users as (
    select
        wanted.position,
        users.email,
        users.user_id,
        users.full_name
    from wanted
    inner join staging.stg_users as users
        on
            wanted.account_id = users.account_id
            and wanted.user_id = users.user_id
    where
        wanted.role = %(user_role)s
        and users.user_id = any(%(user_ids)s::text[])
        and users.email <> ''
        and coalesce(users.deleted_at > %(now)s, true)
),

-- By itself: on a Citus its columns would be null, joined below (tests/warehouse/test_lost_columns.py).
accounts as (
    select
        account_id,
        owner_email,
        manager_email,
        executive_email,
        slack_channel
    from marts.dim_accounts
    where account_id = any(%(account_ids)s::text[])
),

ours as (
    select
        wanted.position,
        wanted.channel,
        case wanted.role
            when 'owner' then coalesce(nullif(accounts.owner_email, ''), nullif(accounts.manager_email, ''))
            when 'manager' then coalesce(nullif(accounts.manager_email, ''), nullif(accounts.executive_email, ''))
            when 'executive' then coalesce(nullif(accounts.executive_email, ''), nullif(accounts.manager_email, ''))
            when 'legal' then nullif(%(legal_email)s, '')
        end as email,
        case wanted.role
            when 'sales' then nullif(%(sales_channel)s, '')
            else coalesce(nullif(accounts.slack_channel, ''), nullif(%(team_channel)s, ''))
        end as team
    from wanted
    left join accounts on wanted.account_id = accounts.account_id
    where wanted.role <> all(%(customer_roles)s::text[])
)

select
    wanted.position,
    coalesce(
        contacts.email,
        users.email,
        ours.email,
        case when ours.channel = any(%(team_channels)s::text[]) then ours.team end
    ) as recipient,
    coalesce(contacts.user_id, users.user_id) as user_id,
    coalesce(contacts.full_name, users.full_name) as full_name
from wanted
left join contacts on wanted.position = contacts.position
left join users on wanted.position = users.position
left join ours on wanted.position = ours.position
order by wanted.position
