with

parameters as (

    select *
    from {{ alert_parameters('long_customer_without_feature', {'tenure_days': 183, 'features': []}) }} as parameters

),

-- Which features are asked about, by tier.
watched as materialized (

    select
        parameters.tier,
        parameters.tenure_days,
        features.feature,
        features.feature_name,
        features.released_on
    from parameters
    inner join {{ ref('stg_features') }} as features
        on
            features.feature = any(parameters.features)
            or (cardinality(parameters.features) = 0 and features.is_critical)

),

-- Week by week from the roll-up: the first day after which a use was known.
first_uses as (

    select
        account_id,
        feature,
        min(greatest(activity_date + 1, known_from)) as known_on
    from {{ ref('int_feature_usage_daily') }}
    where
        uses > 0
        and feature in (select watched.feature from watched)
    group by account_id, feature

)

select
    moments.as_of,
    account_weeks.account_id,
    watched.feature as entity,
    cast(account_weeks.tenure_days as double precision) as measured,
    watched.tenure_days as held_against,
    jsonb_build_object('feature_name', coalesce(watched.feature_name, watched.feature)) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join watched on watched.tier = coalesce(account_weeks.tier, '')
where
    account_weeks.tenure_days > watched.tenure_days
    and coalesce(watched.released_on < {{ utc_day('moments.as_of') }} - 30, true)
    and not exists (
        select 1
        from first_uses
        where
            first_uses.account_id = account_weeks.account_id
            and first_uses.feature = watched.feature
            and first_uses.known_on <= {{ utc_day('moments.as_of') }}
    )
