with

-- Versions that a later one followed; the first of an account stands in for the time before it.
earlier_versions as (

    select
        account_id,
        tier,
        sales_goal,
        lag(dbt_valid_to) over (partition by account_id order by dbt_valid_to) at time zone 'UTC' as held_from,
        dbt_valid_to at time zone 'UTC' as held_until
    from {{ ref('accounts_snapshot') }}
    where dbt_valid_to is not null

),

versions as (

    select
        account_id,
        tier,
        sales_goal,
        held_from,
        held_until
    from earlier_versions

    union all

    -- What holds now, since the last change; an account that never changed has no version here.
    select
        account_id,
        cast(null as text) as tier,
        cast(null as text) as sales_goal,
        max(held_until) as held_from,
        cast(null as timestamptz) as held_until
    from earlier_versions
    group by account_id

)

select
    accounts.account_id,
    case when versions.held_until is null then accounts.tier else versions.tier end as tier,
    case when versions.held_until is null then accounts.sales_goal else versions.sales_goal end as sales_goal,
    accounts.created_at,
    accounts.churned_at,
    accounts._loaded_at,
    versions.held_from,
    versions.held_until
from {{ ref('stg_accounts') }} as accounts
left join versions on accounts.account_id = versions.account_id
