with

zones as (

    select
        moments.as_of,
        users.account_id,
        users.timezone,
        min(users.created_at) as first_added_at,
        count(*) as users
    from {{ moments() }} as moments
    inner join {{ ref('stg_users') }} as users
        on moments.as_of >= users.created_at
    where
        users.timezone is not null
        and {{ was_known('users._loaded_at', 'users.created_at', 'moments.as_of') }}
    group by moments.as_of, users.account_id, users.timezone

),

with_first as (

    select
        *,
        min(first_added_at) over (partition by as_of, account_id) as first_of_account_at
    from zones

)

select
    as_of,
    account_id,
    timezone as entity,
    cast(users as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('first_added_at', first_added_at) as facts
from with_first
where
    {{ is_news('first_added_at', 'as_of') }}
    -- Those who came with the account say nothing new.
    and first_added_at > first_of_account_at + interval '30 days'
