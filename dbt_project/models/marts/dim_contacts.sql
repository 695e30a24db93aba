{{ config(materialized='view') }}

with

accounts as (

    select account_id from {{ ref('stg_accounts') }}

),

-- Not materialized, so that who asks for some accounts does not read the users of all.
users as not materialized (

    select * from {{ ref('stg_users') }}

),

contact_roles as (

    select * from {{ ref('stg_contact_roles') }}

),

-- Whom to turn to when an account names nobody: its first user with an address, users still present before others.
primary_contacts as (

    select distinct on (account_id)
        account_id,
        user_id,
        'primary' as role,
        {{ utc_day('created_at') }} as started_on,
        cast(null as date) as ended_on
    from users
    where email is not null
    order by account_id asc, deleted_at desc nulls first, created_at asc, user_id asc

),

roles as (

    select
        account_id,
        user_id,
        role,
        started_on,
        ended_on
    from contact_roles

    union all

    select
        account_id,
        user_id,
        role,
        started_on,
        ended_on
    from primary_contacts

),

contacts as (

    select
        roles.account_id,
        roles.user_id,
        users.email,
        users.full_name,
        users.timezone,
        roles.role,
        roles.started_on,
        roles.ended_on,
        users.unsubscribed_at,
        users.deleted_at
    from roles
    inner join accounts on roles.account_id = accounts.account_id
    inner join users on roles.user_id = users.user_id

)

select * from contacts
