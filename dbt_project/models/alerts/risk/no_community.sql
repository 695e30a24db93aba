select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.community_posts_90d as measured,
    parameters.posts as held_against,
    jsonb_build_object('tenure_days', account_weeks.tenure_days) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on account_weeks.week = {{ last_week_before('moments.as_of') }}
inner join {{ alert_parameters('no_community', {'posts': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.community_posts_90d < parameters.posts
    and account_weeks.tenure_days > 90
    and exists (
        select 1
        from {{ ref('fct_account_weeks') }} as others
        where others.week = account_weeks.week and others.community_posts_90d > 0
    )
