-- Features of the catalogue that were there: how often each was used in the period and in the one before.
with uses as (
    select
        feature,
        sum(uses) filter (where activity_date >= %(first)s::date) as uses,
        sum(uses) filter (where activity_date < %(first)s::date) as uses_before
    from intermediate.int_feature_usage_daily
    where
        account_id = %(account)s
        and activity_date >= %(before)s::date
        and activity_date < %(as_of)s::date
        and known_from <= %(as_of)s::date
    group by feature
)

select
    coalesce(features.feature_name, uses.feature) as feature,
    coalesce(features.is_core, false) as is_core,
    coalesce(uses.uses, 0) as uses,
    coalesce(uses.uses_before, 0) as uses_before
from staging.stg_features as features
full join uses on features.feature = uses.feature
where features.feature is null or coalesce(features.released_on < %(as_of)s::date, true)
order by uses desc, is_core desc, feature asc
