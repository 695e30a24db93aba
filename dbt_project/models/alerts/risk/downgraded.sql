with

moments_asked as (

    select as_of
    from {{ moments() }} as asked

),

-- Accounts of which a period began or ended lately: only their terms are worked out.
recent as (

    select distinct
        moments_asked.as_of,
        subscriptions.account_id
    from moments_asked
    inner join {{ ref('stg_subscriptions') }} as subscriptions
        on
            {{ is_news_of_day('subscriptions.started_on', 'moments_asked.as_of') }}

)

select
    recent.as_of,
    recent.account_id,
    terms.successor_subscription_id as entity,
    later.mrr as measured,
    terms.mrr as held_against,
    jsonb_build_object(
        'from_plan', terms.plan,
        'to_plan', later.plan,
        'from_seats', terms.seats,
        'to_seats', later.seats,
        'started_on', later.started_on
    ) as facts
from recent
cross join
    lateral (
        select
            account_terms.plan,
            account_terms.seats,
            account_terms.mrr,
            account_terms.is_trial,
            account_terms.successor_subscription_id
        from {{ ref('int_subscription_terms') }} as account_terms
        where account_terms.account_id = recent.account_id
    ) as terms
inner join {{ ref('stg_subscriptions') }} as later
    on terms.successor_subscription_id = later.subscription_id
where
    {{ is_news_of_day('later.started_on', 'recent.as_of') }}
    and not terms.is_trial
    and later.mrr < terms.mrr
    and {{ was_known('later._loaded_at', utc_midnight('later.started_on'), 'recent.as_of') }}
