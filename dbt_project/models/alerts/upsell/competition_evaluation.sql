select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    cast(mentions.times as double precision) as measured,
    parameters.mentions as held_against,
    jsonb_build_object('severity', scores.severity) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on account_weeks.week = {{ last_week_before('moments.as_of') }}
inner join {{ alert_parameters('competition_evaluation', {'mentions': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ source('cs', 'health_scores') }} as scores
    on
        account_weeks.week = scores.week
        and account_weeks.account_id = scores.account_id
        and scores.is_active
cross join
    lateral (
        select count(*) as times
        from {{ ref('stg_feedback') }} as feedback
        where
            account_weeks.account_id = feedback.account_id
            and feedback.kind = 'competitor_mention'
            and feedback.created_at >= moments.as_of - interval '30 days'
            and feedback.created_at <= moments.as_of
            and {{ was_known('feedback._loaded_at', 'feedback.created_at', 'moments.as_of') }}
    ) as mentions
where
    mentions.times >= parameters.mentions
    and scores.severity <= 1
