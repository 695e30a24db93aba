{{ config(materialized='ephemeral', tags=['weekly']) }}

with

account_weeks as (

    select
        account_id,
        week
    from {{ ref('int_account_weeks_spined') }}

),

features as (

    select
        feature,
        coalesce(feature_name, feature) as feature_name,
        is_core,
        coalesce(released_on, '-infinity') as released_on
    from {{ ref('stg_features') }}

),

days as (

    {{ days_of_weeks(30) }}

),

-- Of all accounts, whatever the scope: how popular a feature is does not depend on who is asked about.
feature_use as{{ table_where_spread() }} (

    select distinct
        daily_features.account_id,
        daily_features.feature,
        days.week
    from {{ ref('int_feature_usage_daily') }} as daily_features
    inner join days
        on
            daily_features.activity_date = days.day
            and {{ is_known('daily_features.known_from', 'days.as_of_day') }}
    where
        daily_features.activity_date >= {{ first_as_of_day() }} - 30
        and daily_features.activity_date < {{ last_as_of_day() }}
        and daily_features.uses > 0

),

released_features as (

    select
        days.week,
        features.feature,
        features.feature_name,
        features.is_core
    from features
    inner join days
        on
            features.released_on < days.as_of_day
            and days.age = 1

),

features_released as (

    select
        week,
        cast(count(*) as double precision) as features_available,
        count(*) filter (where is_core) as core_features_available
    from released_features
    group by week

),

features_used as (

    select
        feature_use.account_id,
        feature_use.week,
        cast(count(*) as double precision) as features_used_30d,
        cast(count(released_features.feature) as double precision) as available_features_used_30d,
        cast(count(*) filter (where released_features.is_core) as double precision) as core_features_used
    from feature_use
    left join released_features
        on
            feature_use.week = released_features.week
            and feature_use.feature = released_features.feature
    where {{ of_accounts_in_scope('feature_use.account_id') }}
    group by feature_use.account_id, feature_use.week

),

feature_popularity as (

    select
        feature,
        week,
        count(*) as accounts
    from feature_use
    group by feature, week

),

ranked_core_features as{{ table_where_spread() }} (

    select
        released_features.week,
        released_features.feature,
        released_features.feature_name,
        row_number() over (
            partition by released_features.week
            order by
                coalesce(feature_popularity.accounts, 0) desc,
                released_features.feature_name asc,
                released_features.feature asc
        ) as popularity_rank
    from released_features
    left join feature_popularity
        on
            released_features.week = feature_popularity.week
            and released_features.feature = feature_popularity.feature
    where released_features.is_core

),

top_unused as (

    select
        account_weeks.account_id,
        account_weeks.week,
        min(ranked_core_features.popularity_rank) as popularity_rank
    from account_weeks
    inner join ranked_core_features on account_weeks.week = ranked_core_features.week
    left join feature_use
        on
            account_weeks.account_id = feature_use.account_id
            and account_weeks.week = feature_use.week
            and ranked_core_features.feature = feature_use.feature
    where feature_use.account_id is null
    group by account_weeks.account_id, account_weeks.week

),

usage_of_features as (

    select
        account_weeks.account_id,
        account_weeks.week,
        case
            when features_released.core_features_available > 0 then coalesce(features_used.core_features_used, 0)
        end as core_features_used,
        coalesce(features_used.features_used_30d, 0) as features_used_30d,
        case
            when {{ has_source('features') }} then coalesce(features_released.features_available, 0)
        end as features_available,
        coalesce(features_used.available_features_used_30d, 0)
        / features_released.features_available as feature_adoption_ratio,
        ranked_core_features.feature_name as top_unused_core_feature
    from account_weeks
    left join features_used
        on account_weeks.account_id = features_used.account_id and account_weeks.week = features_used.week
    left join features_released on account_weeks.week = features_released.week
    left join top_unused
        on account_weeks.account_id = top_unused.account_id and account_weeks.week = top_unused.week
    left join ranked_core_features
        on
            top_unused.week = ranked_core_features.week
            and top_unused.popularity_rank = ranked_core_features.popularity_rank

)

select * from usage_of_features
