{{ config(materialized='view') }}

with

accounts as (

    select account_id from {{ ref('stg_accounts') }}

),

terms as (

    select * from {{ ref('int_subscription_terms') }}

),

account_terms as (

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
        terms.renews_every_months,
        terms.renewal_type,
        terms.is_trial,
        terms.is_addon,
        terms.successor_subscription_id,
        terms.successor_started_on,
        terms.successor_known_on,
        terms.moved_on,
        {{ held_until() }} as held_until
    from terms
    inner join accounts on terms.account_id = accounts.account_id

)

select * from account_terms
