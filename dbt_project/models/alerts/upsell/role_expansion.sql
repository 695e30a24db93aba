with

role_starts as (

    select
        moments.as_of,
        roles.account_id,
        roles.role,
        min(roles.user_id) as user_id,
        min(coalesce(roles.started_on, '-infinity')) as first_started_on
    from {{ moments() }} as moments
    inner join {{ ref('stg_contact_roles') }} as roles
        on coalesce(roles.started_on <= {{ utc_day('moments.as_of') }}, true)
    where coalesce(roles._loaded_at <= moments.as_of, true)
    group by moments.as_of, roles.account_id, roles.role

)

select
    role_starts.as_of,
    role_starts.account_id,
    role_starts.role as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('user_id', role_starts.user_id, 'started_on', role_starts.first_started_on) as facts
from role_starts
inner join {{ ref('stg_accounts') }} as accounts on role_starts.account_id = accounts.account_id
where
    {{ is_news_of_day('role_starts.first_started_on', 'role_starts.as_of') }}
    -- Roles that are filled in the first month belong to onboarding.
    and role_starts.first_started_on > {{ utc_day('accounts.created_at') }} + 30
