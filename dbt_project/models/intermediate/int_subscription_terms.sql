with

subscriptions as (

    select * from {{ ref('stg_subscriptions') }}

),

-- Every period beside all periods of its account and product; partitions, so that a filter on accounts reaches the
-- table below.
beside_its_product as (

    select
        *,
        array_agg(subscription_id) over product_periods as product_subscription_ids,
        array_agg(started_on) over product_periods as product_starts
    from subscriptions
    window product_periods as (partition by account_id, product, is_addon)

),

with_successor as (

    select
        terms.subscription_id,
        terms.account_id,
        terms.product,
        terms.plan,
        terms.tier,
        terms.seats,
        terms.mrr,
        terms.started_on,
        terms.ended_on,
        terms.renews_on,
        terms.is_trial,
        terms.is_addon,
        case when terms.auto_renew then 'auto' else 'manual' end as renewal_type,
        followed_by.successor_subscription_id,
        followed_by.successor_started_on,
        followed_by.renewed_on
    from beside_its_product as terms
    left join lateral (
        select
            min(later.started_on) as successor_started_on,
            (array_agg(later.subscription_id order by later.started_on, later.subscription_id))[1]
                as successor_subscription_id,
            min(later.started_on)
            filter (where later.started_on between terms.renews_on - 45 and terms.renews_on + 30) as renewed_on
        from unnest(terms.product_subscription_ids, terms.product_starts) as later (subscription_id, started_on)
        where
            later.started_on > terms.started_on
            and (
                later.started_on between terms.renews_on - 45 and terms.renews_on + 30
                or later.started_on between terms.ended_on - 45 and terms.ended_on + 30
            )
    ) as followed_by on
        cardinality(terms.product_starts) > 1
        and not terms.is_addon

)

select * from with_successor
