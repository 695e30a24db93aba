with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('feature_a_not_b', {'uses': 50, 'days': 30, 'pairs': []}) }} as parameters

),

customers as (

    {{ customers_asked() }}

),

core_features as (

    select
        feature,
        coalesce(released_on, '-infinity') as released_on
    from {{ ref('stg_features') }}
    where is_core

),

pairs as (

    select
        asked.as_of,
        asked.tier,
        trim(split_part(named.pair, '>', 1)) as feature_a,
        trim(split_part(named.pair, '>', 2)) as feature_b
    from asked
    cross join unnest(asked.pairs) as named (pair)

    union all

    select
        asked.as_of,
        asked.tier,
        core_a.feature as feature_a,
        core_b.feature as feature_b
    from asked
    cross join core_features as core_a
    inner join core_features as core_b
        on
            core_a.feature != core_b.feature
            and core_b.released_on <= {{ utc_day('asked.as_of') }}
    where cardinality(asked.pairs) = 0

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
        {{ in_days_asked('daily.activity_date', 'asked.days') }}
    group by daily.account_id, daily.feature, daily.activity_date, daily.counts_from

),

feature_days_asked as materialized (

    select
        days_asked.as_of,
        feature_days.*
    from {{ days_looked_back_on('asked.days') }} as days_asked
    inner join feature_days on days_asked.looked_back_on = feature_days.activity_date

),

much_used as (

    select
        customers.as_of,
        customers.tier,
        customers.account_id,
        customers.uses as uses_asked,
        feature_days.feature,
        sum(feature_days.uses) as uses
    from customers
    inner join feature_days_asked as feature_days
        on
            customers.as_of = feature_days.as_of
            and customers.account_id = feature_days.account_id
            and {{ in_last_days('feature_days.activity_date', 'customers.as_of', 'customers.days') }}
            and feature_days.counts_from <= {{ utc_day('customers.as_of') }}
    group by customers.as_of, customers.tier, customers.account_id, customers.uses, feature_days.feature
    having sum(feature_days.uses) >= customers.uses

),

-- From when on each account has used a feature: one pass over all history.
first_uses as (

    select
        daily.account_id,
        daily.feature,
        min(greatest(daily.activity_date + 1, daily.counts_from)) as counts_from
    from {{ ref('int_feature_usage_to_date') }} as daily
    where
        daily.uses > 0
        and daily.feature in (select pairs.feature_b from pairs)
    group by daily.account_id, daily.feature

),

candidates as (

    select
        much_used.*,
        pairs.feature_b,
        row_number() over (
            partition by much_used.as_of, much_used.account_id
            order by much_used.uses desc, much_used.feature asc, pairs.feature_b asc
        ) as place
    from much_used
    inner join pairs
        on
            much_used.as_of = pairs.as_of
            and much_used.tier = pairs.tier
            and much_used.feature = pairs.feature_a
    left join first_uses
        on
            much_used.account_id = first_uses.account_id
            and pairs.feature_b = first_uses.feature
            and first_uses.counts_from <= {{ utc_day('much_used.as_of') }}
    where first_uses.account_id is null

)

-- One thing at a time is taught: what goes with the feature that is used most.
select
    as_of,
    account_id,
    feature_b as entity,
    cast(uses as double precision) as measured,
    uses_asked as held_against,
    jsonb_build_object('feature_a', feature, 'feature_b', feature_b) as facts
from candidates
where place = 1
