{{ config(materialized='view') }}

with

accounts as (

    select * from {{ ref('stg_accounts') }}

),

subscriptions as (

    select * from {{ ref('stg_subscriptions') }}

),

-- Lateral, so that who asks for some accounts does not read the subscriptions of all.
accounts_today as (

    select
        accounts.account_id,
        accounts.account_name,
        accounts.created_at,
        accounts.churned_at,
        coalesce(running_subscriptions.tier, accounts.tier) as tier,
        coalesce(running_subscriptions.plan, accounts.plan) as plan,
        accounts.industry,
        accounts.country,
        accounts.timezone,
        accounts.owner_email,
        accounts.manager_email,
        accounts.executive_email,
        accounts.slack_channel,
        accounts.parent_account_id,
        accounts.is_bad_fit,
        accounts.sales_goal,
        cast(coalesce(running_subscriptions.mrr, 0) as double precision) as mrr,
        cast(coalesce(running_subscriptions.mrr, 0) * 12 as double precision) as arr,
        -- The largest integer is what companies write for "without limit", and such seats may be added to others.
        cast(least(running_subscriptions.seats, 2147483647) as integer) as seats,
        cast(date_trunc('month', accounts.created_at at time zone 'UTC') as date) as cohort_month
    from accounts
    left join lateral (
        select
            sum(cast({{ recurring_mrr() }} as numeric)) as mrr,
            sum(subscriptions.seats) filter (where not subscriptions.is_addon) as seats,
            (
                array_agg(subscriptions.plan order by {{ most_important_first() }})
                filter (where not subscriptions.is_addon)
            )[1] as plan,
            (
                array_agg(subscriptions.tier order by {{ most_important_first() }})
                filter (where not subscriptions.is_addon)
            )[1] as tier
        from subscriptions
        where
            accounts.account_id = subscriptions.account_id
            and subscriptions.started_on <= {{ utc_day(present()) }}
            and (subscriptions.ended_on is null or subscriptions.ended_on > {{ utc_day(present()) }})
    ) as running_subscriptions on accounts.churned_at is null or accounts.churned_at > {{ present() }}

)

select * from accounts_today
