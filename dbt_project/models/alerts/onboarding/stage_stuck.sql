with

parameters as (

    select * from {{ alert_parameters('stage_stuck', {'days': 7, 'onboarding_days': 180}) }} as parameters

),

steps as (

    {{ onboarding_steps() }}

)

select
    moments.as_of,
    steps.account_id,
    steps.step as entity,
    cast(extract(epoch from moments.as_of - steps.started_at) / 86400 as double precision) as measured,
    parameters.days as held_against,
    jsonb_build_object('position', steps.position, 'started_at', steps.started_at) as facts
from {{ moments() }} as moments
inner join steps on moments.as_of > steps.started_at
inner join parameters on parameters.tier = coalesce(steps.tier, '')
where
    coalesce(steps.completed_at > moments.as_of, true)
    and steps.started_at < moments.as_of - make_interval(secs => 86400 * parameters.days)
    and steps.created_at > moments.as_of - make_interval(secs => 86400 * parameters.onboarding_days)
    and {{ was_known('steps._loaded_at', 'steps.started_at', 'moments.as_of') }}
    and {{ is_customer('steps', 'moments.as_of') }}
    and {{ held_at('steps', 'moments.as_of') }}
    -- The first open step is the one where the customer stands; those behind it wait for it.
    and not exists (
        select 1
        from steps as earlier
        where
            earlier.account_id = steps.account_id
            and earlier.position < steps.position
            and earlier.started_at <= moments.as_of
            and coalesce(earlier.completed_at > moments.as_of, true)
            and {{ was_known('earlier._loaded_at', 'earlier.started_at', 'moments.as_of') }}
    )
