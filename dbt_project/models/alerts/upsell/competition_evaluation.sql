with

mentions as (

    select
        moments.as_of,
        feedback.account_id,
        count(*) as times
    from {{ moments() }} as moments
    inner join {{ ref('stg_feedback') }} as feedback
        on
            feedback.created_at >= moments.as_of - interval '30 days'
            and moments.as_of >= feedback.created_at
            and {{ was_known('feedback._loaded_at', 'feedback.created_at', 'moments.as_of') }}
    where
        feedback.kind = 'competitor_mention'
        and {{ is_around_moments('feedback.created_at', 31) }}
    group by moments.as_of, feedback.account_id

)

select
    mentions.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    cast(mentions.times as double precision) as measured,
    parameters.mentions as held_against,
    jsonb_build_object('severity', scores.severity) as facts
from mentions
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on
        mentions.account_id = account_weeks.account_id
        and {{ is_last_week('account_weeks.week', 'mentions.as_of') }}
inner join {{ alert_parameters('competition_evaluation', {'mentions': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ source('cs', 'health_scores') }} as scores
    on
        account_weeks.week = scores.week
        and {{ in_weeks_asked('scores.week') }}
        and account_weeks.account_id = scores.account_id
        and scores.is_active
where
    mentions.times >= parameters.mentions
    and scores.severity <= 1
