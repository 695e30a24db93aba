with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('frequent_complaints', {'complaints': 3, 'days': 30}) }} as parameters

),

counts as (

    select
        asked.as_of,
        feedback.account_id,
        count(*) filter (
            where feedback.created_at > asked.as_of - make_interval(secs => 86400 * asked.days)
        ) as count_now,
        count(*) filter (
            where feedback.created_at <= asked.as_of - make_interval(secs => 86400 * asked.days)
        ) as count_before,
        max(feedback.created_at) as last_at
    from asked
    inner join {{ ref('stg_accounts') }} as accounts
        on asked.tier = coalesce(accounts.tier, '')
    inner join {{ ref('stg_feedback') }} as feedback
        on
            accounts.account_id = feedback.account_id
            and asked.as_of >= feedback.created_at
    where
        feedback.created_at > asked.as_of - make_interval(secs => 86400 * 2 * asked.days)
        and feedback.kind = 'complaint'
        and {{ was_known('feedback._loaded_at', 'feedback.created_at', 'asked.as_of') }}
    group by asked.as_of, feedback.account_id

)

select
    counts.as_of,
    counts.account_id,
    counts.account_id as entity,
    cast(counts.count_now as double precision) as measured,
    asked.complaints as held_against,
    jsonb_build_object('days', asked.days, 'last_at', counts.last_at) as facts
from counts
inner join {{ ref('stg_accounts') }} as accounts on counts.account_id = accounts.account_id
inner join asked on counts.as_of = asked.as_of and coalesce(accounts.tier, '') = asked.tier
where
    counts.count_now >= asked.complaints
