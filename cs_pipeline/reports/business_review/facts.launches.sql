-- Launches for their tier: those of the period, and those to come that were known.
select
    coalesce(features.feature_name, launches.feature) as feature,
    launches.launched_on
from staging.stg_feature_launches as launches
left join staging.stg_features as features on launches.feature = features.feature
where
    (launches.tier is null or launches.tier = %(tier)s)
    and launches.launched_on >= %(first)s::date
    and coalesce(launches._loaded_at < %(as_of)s, launches.launched_on < %(as_of)s::date)
order by launches.launched_on, feature
