with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('critical_feature_low', {'uses': 3, 'days': 14, 'usual_uses': 6}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

watched as (

    select
        asked.as_of,
        asked.tier,
        features.feature,
        coalesce(features.feature_name, features.feature) as feature_name
    from asked
    inner join {{ ref('stg_features') }} as features
        on
            features.is_critical
            and coalesce(features.released_on < {{ utc_day('asked.as_of') }} - cast(asked.days as integer), true)

),

used as (

    {{ features_used() }}

)

select
    customers.as_of,
    customers.account_id,
    watched.feature as entity,
    cast(coalesce(used.uses_now, 0) as double precision) as measured,
    customers.uses as held_against,
    jsonb_build_object(
        'feature_name', watched.feature_name,
        'days', customers.days,
        'usual_uses', round(coalesce(used.usual_uses, 0))
    ) as facts
from customers
inner join watched on customers.as_of = watched.as_of and customers.tier = watched.tier
left join used
    on
        customers.as_of = used.as_of
        and customers.account_id = used.account_id
        and watched.feature = used.feature
where
    coalesce(used.uses_now, 0) < customers.uses
    and coalesce(used.usual_uses, 0) >= customers.usual_uses
    and customers.created_on < {{ utc_day('customers.as_of') }} - cast(customers.days as integer)
