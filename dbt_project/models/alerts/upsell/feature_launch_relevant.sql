with

launches as (

    select
        moments.as_of,
        launches.launch_id,
        launches.feature,
        launches.launched_on,
        launches.tier,
        coalesce(features.feature_name, launches.feature) as feature_name,
        plainto_tsquery('english', coalesce(features.feature_name, launches.feature)) as words
    from {{ moments() }} as moments
    inner join {{ ref('stg_feature_launches') }} as launches
        on
            {{ is_news_of_day('launches.launched_on', 'moments.as_of') }}
            and {{ was_known('launches._loaded_at', utc_midnight('launches.launched_on'), 'moments.as_of') }}
    left join {{ ref('stg_features') }} as features on launches.feature = features.feature

),

-- What a customer wants: its goal, and what it asked for.
wishes as (

    select
        account_id,
        'goal' as wish,
        sales_goal as words,
        created_at as known_at,
        held_from,
        held_until
    from {{ ref('int_accounts_over_time') }}
    where sales_goal is not null

    union all

    select
        account_id,
        'request' as wish,
        body as words,
        greatest(created_at, _loaded_at) as known_at,
        cast(null as timestamptz) as held_from,
        cast(null as timestamptz) as held_until
    from {{ ref('stg_feedback') }}
    where
        kind = 'feature_request'
        and body is not null
        and {{ is_around_moments('created_at', 365) }}

),

relevant as (

    select distinct on (launches.as_of, launches.launch_id, wishes.account_id)
        launches.*,
        wishes.account_id,
        wishes.wish
    from launches
    inner join wishes
        on
            launches.as_of >= wishes.known_at
            and {{ held_at('wishes', 'launches.as_of') }}
            and launches.words @@ to_tsvector('english', wishes.words)
    order by launches.as_of asc, launches.launch_id asc, wishes.account_id asc, wishes.wish asc

),

-- Of the few accounts that are left, whenever they used a feature first.
first_uses as (

    select
        account_id,
        feature,
        min(known_from) as known_from
    from {{ ref('int_feature_usage_daily') }}
    where
        uses > 0
        and account_id = any(array(select relevant.account_id from relevant))
        and feature in (select launches.feature from launches)
    group by account_id, feature

),

recent_uses as (

    select
        account_id,
        feature,
        greatest(occurred_at, _loaded_at) as counted_at
    from {{ ref('stg_events') }}
    where
        feature in (select launches.feature from launches)
        and quantity > 0
        and {{ is_around_moments('occurred_at', '2 * ' ~ days_of_news()) }}

)

select
    relevant.as_of,
    relevant.account_id,
    relevant.launch_id as entity,
    cast(null as double precision) as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object(
        'feature', relevant.feature,
        'feature_name', relevant.feature_name,
        'launched_on', relevant.launched_on,
        'because_of', relevant.wish
    ) as facts
from relevant
inner join {{ ref('int_accounts_over_time') }} as accounts
    on relevant.account_id = accounts.account_id and {{ held_at('accounts', 'relevant.as_of') }}
where
    coalesce(relevant.tier = accounts.tier, relevant.tier is null)
    and {{ is_customer('accounts', 'relevant.as_of') }}
    and not exists (
        select 1
        from recent_uses
        where
            recent_uses.account_id = relevant.account_id
            and recent_uses.feature = relevant.feature
            and recent_uses.counted_at <= relevant.as_of
    )
    and not exists (
        select 1
        from first_uses
        where
            first_uses.account_id = relevant.account_id
            and first_uses.feature = relevant.feature
            and first_uses.known_from <= {{ utc_day('relevant.as_of') }}
    )
