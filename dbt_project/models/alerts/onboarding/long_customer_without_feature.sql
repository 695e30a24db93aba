with

parameters as (

    select *
    from {{ alert_parameters('long_customer_without_feature', {'tenure_days': 183, 'features': []}) }} as parameters

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
        and (
            feature in (
                select features.feature from {{ ref('stg_features') }} as features
                where features.is_critical
            )
            or feature in (select unnest(parameters.features) from parameters)
        )
    group by account_id, feature

)

select
    moments.as_of,
    account_weeks.account_id,
    features.feature as entity,
    cast(account_weeks.tenure_days as double precision) as measured,
    parameters.tenure_days as held_against,
    jsonb_build_object('feature_name', coalesce(features.feature_name, features.feature)) as facts
from {{ moments() }} as moments
inner join {{ ref('fct_account_weeks') }} as account_weeks
    on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
inner join parameters on parameters.tier = coalesce(account_weeks.tier, '')
inner join {{ ref('stg_features') }} as features
    on
        features.feature = any(parameters.features)
        or (cardinality(parameters.features) = 0 and features.is_critical)
left join first_uses
    on
        account_weeks.account_id = first_uses.account_id
        and features.feature = first_uses.feature
        and first_uses.known_on <= {{ utc_day('moments.as_of') }}
where
    account_weeks.tenure_days > parameters.tenure_days
    and coalesce(features.released_on < {{ utc_day('moments.as_of') }} - 30, true)
    and first_uses.account_id is null
