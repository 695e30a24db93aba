with

parameters as (

    select *
    from {{ alert_parameters(
        'onboarding_step_stuck_user', {'stages': ['Step 2'], 'within_days': 7, 'after_hours': 24}
    ) }} as parameters

),

-- Those that something else was put in place of after the first moment: none, mostly, when the moment is the last hour.
past_stages as (

    select
        user_id,
        onboarding_stage,
        held_until,
        lag(held_until) over (partition by user_id order by held_until) as held_from
    from {{ source('cs', 'past_onboarding_stages') }}
    where held_until > (select min(all_moments.as_of) from {{ moments() }} as all_moments)

)

select
    moments.as_of,
    users.account_id,
    users.user_id as entity,
    cast(extract(epoch from moments.as_of - users.created_at) / 86400 as double precision) as measured,
    parameters.within_days as held_against,
    jsonb_build_object(
        'stage', coalesce(past_stages.onboarding_stage, users.onboarding_stage),
        'signed_up_at', users.created_at
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_users') }} as users on moments.as_of >= users.created_at
inner join {{ ref('int_accounts_over_time') }} as accounts
    on users.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join parameters on parameters.tier = coalesce(accounts.tier, '')
left join past_stages
    on
        users.user_id = past_stages.user_id
        and moments.as_of < past_stages.held_until
        and coalesce(moments.as_of >= past_stages.held_from, true)
where
    {{ is_around_moments('users.created_at', '(select max(parameters.within_days) from parameters)') }}
    and users.created_at > moments.as_of - make_interval(secs => 86400 * parameters.within_days)
    and users.created_at <= moments.as_of - make_interval(secs => 3600 * parameters.after_hours)
    and case when past_stages.user_id is null then users.onboarding_stage else past_stages.onboarding_stage end
    = any(parameters.stages)
    and coalesce(users.deleted_at > moments.as_of, true)
    and {{ was_known('users._loaded_at', 'users.created_at', 'moments.as_of') }}
    and {{ is_customer('accounts', 'moments.as_of') }}
