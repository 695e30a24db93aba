select
    moments.as_of,
    accounts.account_id,
    launches.launch_id as entity,
    cast({{ utc_day('moments.as_of') }} - launches.launched_on as double precision) as measured,
    parameters.days as held_against,
    jsonb_build_object(
        'feature', launches.feature,
        'feature_name', coalesce(features.feature_name, launches.feature),
        'goal', left(accounts.sales_goal, 500)
    ) as facts
from {{ moments() }} as moments
cross join {{ alert_parameters('feature_fits_goal', {'days': 30}) }} as parameters
inner join {{ ref('stg_feature_launches') }} as launches
    on
        {{ utc_day('moments.as_of') }} >= launches.launched_on
        and {{ utc_day('moments.as_of') }} - launches.launched_on < parameters.days
inner join {{ ref('int_accounts_over_time') }} as accounts
    on
        parameters.tier = coalesce(accounts.tier, '')
        and coalesce(launches.tier = accounts.tier, launches.tier is null)
        and {{ held_at('accounts', 'moments.as_of') }}
left join {{ ref('stg_features') }} as features on launches.feature = features.feature
where
    {{ is_customer('accounts', 'moments.as_of') }}
    and accounts.sales_goal is not null
    and {{ mentions(
        'accounts.sales_goal',
        "string_to_array(regexp_replace(lower(coalesce(features.feature_name, launches.feature)), '[_/ ]+', ',', 'g'), ',')"
        ~ " || launches.feature || features.feature_name"
    ) }}
    and {{ was_known('launches._loaded_at', utc_midnight('launches.launched_on'), 'moments.as_of') }}
