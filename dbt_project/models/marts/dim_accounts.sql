{{ config(materialized='view') }}

with

accounts as (

    select * from {{ ref('stg_accounts') }}

),

terms as not materialized (

    select * from {{ ref('int_subscription_terms') }}

),

-- Lateral, so that who asks for some accounts does not read the terms of all.
accounts_today as (

    select
        accounts.account_id,
        accounts.account_name,
        accounts.created_at,
        accounts.churned_at,
        coalesce(running_terms.tier, accounts.tier) as tier,
        coalesce(running_terms.plan, accounts.plan) as plan,
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
        cast(coalesce(running_terms.mrr, 0) as double precision) as mrr,
        cast(coalesce(running_terms.mrr, 0) * 12 as double precision) as arr,
        -- The largest integer is what companies write for "without limit", and such seats may be added to others.
        cast(
            case when running_terms.seats > 2147483647 then 2147483647 else running_terms.seats end as integer
        ) as seats,
        cast(date_trunc('month', accounts.created_at at time zone 'UTC') as date) as cohort_month
    from accounts
    left join lateral (
        select
            sum(cast({{ recurring_mrr('terms') }} as numeric)) as mrr,
            sum(terms.seats) filter (where not terms.is_addon) as seats,
            (
                array_agg(terms.plan order by {{ most_important_first('terms') }})
                filter (where not terms.is_addon)
            )[1] as plan,
            (
                array_agg(terms.tier order by {{ most_important_first('terms') }})
                filter (where not terms.is_addon)
            )[1] as tier
        from terms
        where
            accounts.account_id = terms.account_id
            and {{ term_holds_at('(' ~ utc_day(present()) ~ ' + 1)') }}
    ) as running_terms on accounts.churned_at is null or accounts.churned_at > {{ present() }}

)

select * from accounts_today
