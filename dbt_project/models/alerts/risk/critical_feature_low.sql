with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('critical_feature_low', {'uses': 3, 'days': 14}) }} as parameters

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

feature_days as (

    select
        daily.account_id,
        daily.feature,
        daily.activity_date,
        daily.counts_from,
        sum(daily.uses) as uses
    from {{ ref('int_feature_usage_to_date') }} as daily
    where
        {{ in_days_asked('daily.activity_date', '2 * asked.days') }}
    group by daily.account_id, daily.feature, daily.activity_date, daily.counts_from

),

used as (

    select
        customers.as_of,
        customers.account_id,
        feature_days.feature,
        sum(feature_days.uses) filter (
            where
            feature_days.activity_date >= {{ utc_day('customers.as_of') }} - cast(customers.days as integer)
        ) as uses_now,
        sum(feature_days.uses) as uses_in_both
    from customers
    inner join feature_days
        on
            customers.account_id = feature_days.account_id
            and {{ in_last_days('feature_days.activity_date', 'customers.as_of', '2 * customers.days') }}
            and feature_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.account_id, feature_days.feature

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
        'uses_before', coalesce(used.uses_in_both, 0) - coalesce(used.uses_now, 0)
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
    and customers.created_on < {{ utc_day('customers.as_of') }} - cast(customers.days as integer)
