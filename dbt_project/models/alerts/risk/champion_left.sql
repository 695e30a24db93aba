with

champions as (

    select
        moments.as_of,
        roles.account_id,
        roles.user_id,
        roles.role,
        users.deleted_at,
        case
            when roles.ended_on <= {{ utc_day('moments.as_of') }} then {{ utc_midnight('roles.ended_on') }}
        end as ended_at
    from {{ moments() }} as moments
    cross join {{ alert_parameters('champion_left', {'roles': ['champion', 'executive_sponsor']}) }} as parameters
    inner join {{ ref('stg_contact_roles') }} as roles
        on
            parameters.roles @> array[roles.role]
            and coalesce(moments.as_of >= roles._loaded_at, true)
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on
            roles.account_id = accounts.account_id
            and parameters.tier = coalesce(accounts.tier, '')
            and {{ held_at('accounts', 'moments.as_of') }}
    inner join {{ ref('stg_users') }} as users
        on roles.user_id = users.user_id and roles.account_id = users.account_id

),

left_us as (

    select
        *,
        least(ended_at, case when deleted_at <= as_of then deleted_at end) as left_at
    from champions

)

select
    as_of,
    account_id,
    user_id || ':' || role as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('role', role, 'left_at', left_at) as facts
from left_us
where {{ is_news('left_at', 'as_of') }}
