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
        successor.subscription_id as successor_subscription_id,
        successor.started_on as successor_started_on,
        renewal.started_on as renewed_on
    from beside_its_product as terms

    left join lateral (
        select
            later.subscription_id,
            later.started_on
        from unnest(terms.product_subscription_ids, terms.product_starts) as later (subscription_id, started_on)
        where
            not terms.is_addon
            and later.started_on > terms.started_on
            and (
                later.started_on between terms.renews_on - 45 and terms.renews_on + 30
                or later.started_on between terms.ended_on - 45 and terms.ended_on + 30
            )
        order by later.started_on, later.subscription_id
        limit 1
    ) as successor on true

    left join lateral (
        select min(later.started_on) as started_on
        from unnest(terms.product_starts) as later (started_on)
        where
            not terms.is_addon
            and later.started_on > terms.started_on
            and later.started_on between terms.renews_on - 45 and terms.renews_on + 30
    ) as renewal on true

)

select * from with_successor
