select
    moments.as_of,
    subscriptions.account_id,
    subscriptions.subscription_id as entity,
    subscriptions.mrr as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object(
        'plan', coalesce(subscriptions.plan, ''),
        'seats', subscriptions.seats,
        'started_on', subscriptions.started_on
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_subscriptions') }} as subscriptions
    on {{ is_news_of_day('subscriptions.started_on', 'moments.as_of') }}
inner join {{ ref('stg_accounts') }} as accounts on subscriptions.account_id = accounts.account_id
where
    subscriptions.mrr > 0
    and not subscriptions.is_trial
    and not subscriptions.is_addon
    and {{ was_known('subscriptions._loaded_at', utc_midnight('subscriptions.started_on'), 'moments.as_of') }}
    and {{ is_customer('accounts', 'moments.as_of') }}
    and not exists (
        select 1
        from {{ ref('stg_subscriptions') }} as earlier
        where
            earlier.account_id = subscriptions.account_id
            and (earlier.started_on, earlier.subscription_id)
            < (subscriptions.started_on, subscriptions.subscription_id)
            and earlier.mrr > 0
            and not earlier.is_trial
            and not earlier.is_addon
            and {{ was_known('earlier._loaded_at', utc_midnight('earlier.started_on'), 'moments.as_of') }}
    )
