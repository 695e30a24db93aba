with

asked as (

    select
        moments.as_of,
        {{ last_week_before('moments.as_of') }} as week,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('higher_tier_usage', {'share': 1, 'accounts': 5, 'times_own': 1.5}) }} as parameters

),

medians as (

    select
        account_weeks.week,
        account_weeks.tier,
        count(*) as accounts_in_tier,
        percentile_cont(0.5) within group (order by account_weeks.events_30d) as events_30d
    from {{ ref('fct_account_weeks') }} as account_weeks
    where
        {{ in_weeks_asked('account_weeks.week') }}
        and account_weeks.week in (select asked.week from asked)
    group by account_weeks.week, account_weeks.tier

),

-- What is usual in a tier, for the tier below it.
usual as (

    select
        medians.week,
        medians.tier as higher_tier,
        medians.accounts_in_tier,
        medians.events_30d,
        lower_tiers.tier,
        lower_tiers.events_30d as own_events_30d
    from medians
    inner join medians as lower_tiers
        on
            medians.week = lower_tiers.week
            and (medians.tier, lower_tiers.tier) in (('pro', 'starter'), ('enterprise', 'pro'))

)

select
    asked.as_of,
    account_weeks.account_id,
    account_weeks.account_id as entity,
    account_weeks.events_30d as measured,
    asked.share * usual.events_30d as held_against,
    jsonb_build_object('tier', account_weeks.tier, 'higher_tier', usual.higher_tier) as facts
from asked
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on asked.week = account_weeks.week and asked.tier = account_weeks.tier
inner join usual on account_weeks.week = usual.week and account_weeks.tier = usual.tier
where
    {{ in_weeks_asked('account_weeks.week') }}
    and usual.accounts_in_tier >= asked.accounts
    and usual.events_30d > 0
    and usual.events_30d >= asked.times_own * usual.own_events_30d
    and account_weeks.events_30d >= asked.share * usual.events_30d
