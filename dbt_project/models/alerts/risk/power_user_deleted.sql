with

deleted as (

    select
        moments.as_of,
        users.account_id,
        users.user_id,
        users.deleted_at
    from {{ moments() }} as moments
    inner join {{ ref('stg_users') }} as users
        on {{ is_news('users.deleted_at', 'moments.as_of') }}
    where {{ was_known('users._loaded_at', 'users.created_at', 'moments.as_of') }}

)

select
    deleted.as_of,
    deleted.account_id,
    deleted.user_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('deleted_at', deleted.deleted_at) as facts
from deleted
where
    exists (
        select 1
        from {{ ref('stg_contact_roles') }} as roles
        where
            roles.account_id = deleted.account_id
            and roles.user_id = deleted.user_id
            and roles.role = 'power_user'
            and coalesce(roles.started_on <= {{ utc_day('deleted.deleted_at') }}, true)
            -- Who removes a user may end the role the day before.
            and coalesce(roles.ended_on >= {{ utc_day('deleted.deleted_at') }} - 1, true)
    )
    or exists (
        select 1
        from {{ ref('fct_account_weeks') }} as account_weeks
        where
            account_weeks.account_id = deleted.account_id
            and account_weeks.week = {{ last_week_before('deleted.deleted_at') }}
            and account_weeks.power_user_id = deleted.user_id
    )
