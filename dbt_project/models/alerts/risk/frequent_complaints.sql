select
    moments.as_of,
    feedback.account_id,
    feedback.account_id as entity,
    cast(count(*) as double precision) as measured,
    parameters.complaints as held_against,
    jsonb_build_object('days', parameters.days, 'last_at', max(feedback.created_at)) as facts
from {{ moments() }} as moments
cross join {{ alert_parameters('frequent_complaints', {'complaints': 3, 'days': 30}) }} as parameters
inner join {{ ref('int_accounts_over_time') }} as accounts
    on parameters.tier = coalesce(accounts.tier, '') and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ ref('stg_feedback') }} as feedback
    on
        accounts.account_id = feedback.account_id
        and moments.as_of >= feedback.created_at
where
    feedback.created_at > moments.as_of - make_interval(secs => 86400 * parameters.days)
    and feedback.kind = 'complaint'
    and {{ was_known('feedback._loaded_at', 'feedback.created_at', 'moments.as_of') }}
group by moments.as_of, feedback.account_id, parameters.complaints, parameters.days
having count(*) >= parameters.complaints
