{#
    Uses of the last two weeks are read from the events, so that an hourly tick sees the last hour; whether there was one
    before, from the roll-up by day, whose rows of past weeks are complete.
#}
with

parameters as (

    select *
    from {{ alert_parameters('first_use_of_feature', {'features': [], 'new_for_days': 90}) }} as parameters

),

features as (

    select
        features.feature,
        features.released_on,
        coalesce(features.feature_name, features.feature) as feature_name
    from {{ ref('stg_features') }} as features

),

-- Those that may be asked for, of whatever tier: few uses are left to sort.
wanted as (

    select unnest(parameters.features) as feature
    from parameters

    union

    select features.feature
    from features
    inner join parameters on cardinality(parameters.features) = 0
    where
        (select {{ utc_day('min(all_moments.as_of)') }} from {{ moments() }} as all_moments) - features.released_on
        < parameters.new_for_days + {{ days_of_news() }} + 1

),

first_uses as (

    select distinct on (account_id, feature)
        account_id,
        feature,
        occurred_at,
        greatest(occurred_at, _loaded_at) as counted_at
    from {{ ref('stg_events') }}
    where
        feature in (select wanted.feature from wanted)
        and quantity > 0
        and {{ is_around_moments('occurred_at', days_of_news() ~ ' + 8') }}
    order by account_id asc, feature asc, counted_at asc, occurred_at asc

),

asked_for as (

    select
        first_uses.*,
        accounts.created_at,
        accounts.churned_at,
        coalesce(features.feature_name, first_uses.feature) as feature_name
    from first_uses
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on first_uses.account_id = accounts.account_id and {{ held_at('accounts', 'first_uses.occurred_at') }}
    inner join parameters on parameters.tier = coalesce(accounts.tier, '')
    left join features on first_uses.feature = features.feature
    where
        first_uses.feature = any(parameters.features)
        or (
            cardinality(parameters.features) = 0
            and {{ utc_day('first_uses.occurred_at') }} - features.released_on < parameters.new_for_days
        )

)

select
    moments.as_of,
    asked_for.account_id,
    asked_for.feature as entity,
    cast(null as double precision) as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object('feature_name', asked_for.feature_name, 'used_at', asked_for.occurred_at) as facts
from {{ moments() }} as moments
inner join asked_for
    on
        {{ is_news('asked_for.occurred_at', 'moments.as_of') }}
        and asked_for.counted_at <= moments.as_of
where
    {{ is_customer('asked_for', 'moments.as_of') }}
    and not exists (
        select 1
        from {{ ref('int_feature_usage_daily') }} as earlier
        where
            earlier.account_id = asked_for.account_id
            and earlier.feature = asked_for.feature
            and earlier.uses > 0
            and earlier.activity_date < {{ utc_day('asked_for.occurred_at') }} - {{ days_of_news() }}
            and earlier.known_from <= {{ utc_day('moments.as_of') }}
    )
