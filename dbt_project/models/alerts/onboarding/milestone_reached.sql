with

parameters as (

    select *
    from {{ alert_parameters('milestone_reached', {'levels': ['3', '10', '25', '100']}) }} as parameters

),

-- The nth order of a user counts from when it was placed and had arrived.
orders as (

    select
        account_id,
        user_id,
        order_id,
        created_at,
        greatest(created_at, _loaded_at) as counted_at
    from {{ ref('stg_orders') }}
    where user_id is not null

),

numbered_orders as (

    select
        *,
        row_number() over (partition by account_id, user_id order by counted_at, created_at, order_id) as nth
    from orders

),

-- The order after a level is the one that goes past it.
reached as (

    select
        numbered_orders.account_id,
        numbered_orders.user_id,
        numbered_orders.nth,
        numbered_orders.created_at,
        numbered_orders.counted_at,
        cast(levels.level as integer) as level
    from numbered_orders
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on numbered_orders.account_id = accounts.account_id and {{ held_at('accounts', 'numbered_orders.counted_at') }}
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    cross join lateral unnest(parameters.levels) as levels (level)
    where
        {{ is_around_moments('numbered_orders.counted_at', days_of_news()) }}
        and numbered_orders.nth = cast(levels.level as integer) + 1

)

-- Past several levels within days: the highest is told of.
select distinct on (moments.as_of, reached.account_id, reached.user_id)
    moments.as_of,
    reached.account_id,
    reached.user_id || ':' || reached.level as entity,
    cast(reached.nth as double precision) as measured,
    cast(reached.level as double precision) as held_against,
    jsonb_build_object('user_id', reached.user_id, 'reached_at', reached.created_at) as facts
from {{ moments() }} as moments
inner join reached
    on
        {{ is_news('reached.counted_at', 'moments.as_of') }}
        and {{ is_news('reached.created_at', 'moments.as_of') }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on reached.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
where {{ is_customer('accounts', 'moments.as_of') }}
order by moments.as_of asc, reached.account_id asc, reached.user_id asc, reached.level desc
