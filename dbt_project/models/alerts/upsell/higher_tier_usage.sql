with

asked as (

    select
        moments.as_of,
        {{ last_week_before('moments.as_of') }} as week,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('higher_tier_usage', {'share': 1, 'accounts': 5}) }} as parameters

),

-- What is usual in a tier, for the tier below it.
usual as (

    select
        account_weeks.week,
        case account_weeks.tier when 'pro' then 'starter' when 'enterprise' then 'pro' end as tier,
        account_weeks.tier as higher_tier,
        count(*) as accounts_in_tier,
        percentile_cont(0.5) within group (order by account_weeks.events_30d) as events_30d
    from {{ ref('fct_account_weeks') }} as account_weeks
    where
        account_weeks.week in (select asked.week from asked)
        and account_weeks.tier in ('pro', 'enterprise')
    group by account_weeks.week, account_weeks.tier

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
    usual.accounts_in_tier >= asked.accounts
    and usual.events_30d > 0
    and account_weeks.events_30d >= asked.share * usual.events_30d
