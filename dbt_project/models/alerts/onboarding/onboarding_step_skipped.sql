with

parameters as (

    select * from {{ alert_parameters('onboarding_step_skipped', {'days': 3, 'onboarding_days': 180}) }} as parameters

),

steps as (

    {{ onboarding_steps() }}

)

select
    moments.as_of,
    steps.account_id,
    steps.step as entity,
    cast(extract(epoch from moments.as_of - min(later.completed_at)) / 86400 as double precision) as measured,
    parameters.days as held_against,
    jsonb_build_object(
        'position', steps.position,
        'went_on_with', (array_agg(later.step order by later.completed_at, later.position))[1]
    ) as facts
from {{ moments() }} as moments
inner join steps on moments.as_of >= steps.created_at
inner join parameters on parameters.tier = coalesce(steps.tier, '')
inner join steps as later
    on
        steps.account_id = later.account_id
        and steps.position < later.position
        and later.completed_at < moments.as_of - make_interval(secs => 86400 * parameters.days)
        and {{ was_known('later._loaded_at', 'later.started_at', 'moments.as_of') }}
        and {{ held_at('later', 'moments.as_of') }}
where
    coalesce(steps.completed_at > moments.as_of, true)
    and steps.created_at > moments.as_of - make_interval(secs => 86400 * parameters.onboarding_days)
    and {{ was_known('steps._loaded_at', 'steps.started_at', 'moments.as_of') }}
    and {{ is_customer('steps', 'moments.as_of') }}
    and {{ held_at('steps', 'moments.as_of') }}
group by moments.as_of, steps.account_id, steps.step, steps.position, parameters.days
