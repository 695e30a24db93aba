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

last_changes as (

    select
        account_id,
        max(held_until) as changed_at
    from earlier_versions
    group by account_id

)

select
    accounts.account_id,
    accounts.tier,
    accounts.sales_goal,
    accounts.created_at,
    accounts.churned_at,
    accounts._loaded_at,
    last_changes.changed_at as held_from,
    cast(null as timestamptz) as held_until
from {{ ref('stg_accounts') }} as accounts
left join last_changes on accounts.account_id = last_changes.account_id

union all

select
    accounts.account_id,
    earlier_versions.tier,
    earlier_versions.sales_goal,
    accounts.created_at,
    accounts.churned_at,
    accounts._loaded_at,
    earlier_versions.held_from,
    earlier_versions.held_until
from earlier_versions
inner join {{ ref('stg_accounts') }} as accounts on earlier_versions.account_id = accounts.account_id
