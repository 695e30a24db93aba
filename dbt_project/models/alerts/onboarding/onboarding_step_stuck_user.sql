with

parameters as (

    select *
    from {{ alert_parameters(
        'onboarding_step_stuck_user', {'stages': ['Step 2'], 'within_days': 7, 'after_hours': 24}
    ) }} as parameters

)

select
    moments.as_of,
    users.account_id,
    users.user_id as entity,
    cast(extract(epoch from moments.as_of - users.created_at) / 86400 as double precision) as measured,
    parameters.within_days as held_against,
    jsonb_build_object('stage', users.onboarding_stage, 'signed_up_at', users.created_at) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_users') }} as users on moments.as_of >= users.created_at
inner join {{ ref('stg_accounts') }} as accounts on users.account_id = accounts.account_id
inner join parameters on parameters.tier = coalesce(accounts.tier, '')
where
    {{ is_around_moments('users.created_at', '(select max(parameters.within_days) from parameters)') }}
    and users.created_at > moments.as_of - make_interval(secs => 86400 * parameters.within_days)
    and users.created_at <= moments.as_of - make_interval(secs => 3600 * parameters.after_hours)
    and users.onboarding_stage = any(parameters.stages)
    and coalesce(users.deleted_at > moments.as_of, true)
    and {{ was_known('users._loaded_at', 'users.created_at', 'moments.as_of') }}
    and {{ is_customer('accounts', 'moments.as_of') }}
