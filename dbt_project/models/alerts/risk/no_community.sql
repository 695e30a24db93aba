select
    moments.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.community_posts_90d as measured,
    parameters.posts as held_against,
    jsonb_build_object('posts_before', earlier.community_posts_90d) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join {{ alert_parameters('no_community', {'posts': 1, 'posts_before': 1}) }} as parameters
    on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ ref('fct_account_weeks') }} as earlier
    on
        account_weeks.account_id = earlier.account_id
        and account_weeks.week - 91 = earlier.week
        and {{ in_weeks_asked('earlier.week', since=13, ago=13) }}
where
    account_weeks.community_posts_90d < parameters.posts
    and earlier.community_posts_90d >= parameters.posts_before
