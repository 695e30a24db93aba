{{ config(materialized='ephemeral', tags=['weekly']) }}

{%- set lapsed_days = 30 %}

with

weeks as (

    select
        cast(monday as date) as week,
        cast(monday as date) + 7 as as_of_day,
        cast(cast(monday as date) + 7 as timestamp) at time zone 'UTC' as as_of
    from generate_series(
        cast({{ week_bound('week_from') }} as timestamp),
        cast({{ week_bound('week_to') }} as timestamp),
        interval '7 days'
    ) as mondays (monday)

),

accounts as (

    select
        account_id,
        created_at,
        churned_at,
        {{ utc_day('created_at') }} as created_on,
        cast(date_trunc('month', created_at at time zone 'UTC') as date) as cohort_month
    from {{ ref('stg_accounts') }}
    {% if var('cohort') %}
    where
        created_at >= cast('{{ var("cohort") }}-01' as timestamp) at time zone 'UTC'
        and created_at < (cast('{{ var("cohort") }}-01' as timestamp) + interval '1 month') at time zone 'UTC'
    {% endif %}

),

-- The earliest version of an account stands in for the time before it.
account_versions as (

    select
        account_id,
        account_name,
        tier,
        plan,
        industry,
        country,
        timezone,
        owner_email,
        is_bad_fit,
        case
            when row_number() over (partition by account_id order by dbt_valid_from, dbt_valid_to) > 1
                then dbt_valid_from
            else '-infinity'
        end as known_after,
        coalesce(dbt_valid_to, 'infinity') as known_until
    from {{ ref('accounts_snapshot') }}

),

subscriptions as (

    select * from {{ ref('int_subscription_terms') }}

),

account_weeks as (

    select
        accounts.account_id,
        accounts.created_at,
        accounts.created_on,
        accounts.cohort_month,
        weeks.week,
        weeks.as_of,
        weeks.as_of_day
    from accounts
    inner join weeks
        on
            accounts.created_at < weeks.as_of
            and (accounts.churned_at is null or accounts.churned_at >= weeks.as_of)

),

-- Periods that say something about the week: those that run, and base periods that lapsed lately.
week_periods as (

    select
        account_weeks.account_id,
        account_weeks.week,
        account_weeks.as_of_day,
        subscriptions.subscription_id,
        subscriptions.plan,
        subscriptions.tier,
        subscriptions.seats,
        subscriptions.is_trial,
        subscriptions.is_addon,
        subscriptions.renewal_type,
        subscriptions.started_on,
        {{ recurring_mrr() }} as mrr,
        subscriptions.ended_on is null or subscriptions.ended_on >= account_weeks.as_of_day as is_running,
        coalesce(subscriptions.successor_started_on < account_weeks.as_of_day, false) as has_successor,
        case
            when subscriptions.is_addon or subscriptions.is_trial then null
            when subscriptions.renewed_on < account_weeks.as_of_day then null
            when subscriptions.ended_on < account_weeks.as_of_day
                then least(subscriptions.renews_on, subscriptions.ended_on)
            else subscriptions.renews_on
        end as renewal_date
    from account_weeks
    inner join subscriptions
        on
            account_weeks.account_id = subscriptions.account_id
            and account_weeks.as_of_day > subscriptions.started_on
            and (
                subscriptions.ended_on is null
                or subscriptions.ended_on >= account_weeks.as_of_day - {{ lapsed_days }}
            )

),

with_base_running as (

    select
        *,
        coalesce(bool_or(is_running and not is_addon) over (partition by account_id, week), false) as base_is_running
    from week_periods

),

-- Running periods; without a running base period, the base periods that lapsed and that nothing followed: overdue.
counted_periods as (

    select *
    from with_base_running
    where
        is_running
        or (not base_is_running and not is_addon and not has_successor)

),

subscription_facts as (

    select
        counted_periods.account_id,
        counted_periods.week,
        -- Decimal, so that the sum does not depend on the order of the rows.
        sum(cast(counted_periods.mrr as numeric)) as mrr,
        sum(counted_periods.seats) filter (where not counted_periods.is_addon) as seats,
        bool_and(counted_periods.is_trial) filter (where not counted_periods.is_addon) as is_trial,
        {{ of_main_base_period('plan', 'counted_periods') }} as plan,
        {{ of_main_base_period('tier', 'counted_periods') }} as tier,
        min(counted_periods.renewal_date) as renewal_date,
        (
            array_agg(
                counted_periods.renewal_type
                order by counted_periods.renewal_date asc, counted_periods.renewal_type desc
            ) filter (where counted_periods.renewal_date is not null)
        )[1] as renewal_type
    from counted_periods
    group by counted_periods.account_id, counted_periods.week

),

first_starts as (

    select
        account_id,
        min(started_on) as first_started_on
    from subscriptions
    group by account_id

),

with_facts as (

    select
        account_weeks.account_id,
        account_weeks.week,
        account_weeks.as_of,
        account_weeks.as_of_day,
        account_versions.account_name,
        coalesce(subscription_facts.tier, account_versions.tier) as tier,
        coalesce(subscription_facts.plan, account_versions.plan) as plan,
        account_versions.industry,
        account_versions.country,
        account_versions.timezone,
        account_versions.owner_email,
        account_weeks.cohort_month,
        account_weeks.created_at,
        account_weeks.as_of_day - account_weeks.created_on as tenure_days,
        cast(coalesce(subscription_facts.mrr, 0) as double precision) as mrr,
        cast(coalesce(subscription_facts.mrr, 0) * 12 as double precision) as arr,
        cast(subscription_facts.seats as integer) as seats,
        coalesce(subscription_facts.is_trial, false) as is_trial,
        coalesce(account_versions.is_bad_fit, false) as is_bad_fit,
        subscription_facts.renewal_date,
        subscription_facts.renewal_type,
        coalesce(subscription_facts.renewal_date < account_weeks.as_of_day, false) as is_renewal_overdue
    from account_weeks
    inner join account_versions
        on
            account_weeks.account_id = account_versions.account_id
            and account_weeks.as_of_day > account_versions.known_after
            and account_weeks.as_of_day <= account_versions.known_until
    left join first_starts on account_weeks.account_id = first_starts.account_id
    left join subscription_facts
        on
            account_weeks.account_id = subscription_facts.account_id
            and account_weeks.week = subscription_facts.week
    where
        subscription_facts.account_id is not null
        or first_starts.first_started_on is null
        or first_starts.first_started_on >= account_weeks.as_of_day

),

with_stages as (

    select
        *,
        case
            when tenure_days <= 30 then 'onboarding'
            when tenure_days <= 90 then 'adoption'
            else 'retention'
        end as lifecycle_stage,
        case
            when tenure_days <= 14 then 'trial'
            when tenure_days <= 30 then 'onboarding'
            when tenure_days <= 90 then 'adoption'
            when tenure_days <= 365 then 'growth'
            else 'renewal'
        end as lifecycle_stage_five
    from with_facts

)

select * from with_stages
{%- if var('segment') %}
where tier = '{{ var("segment") }}'
{%- endif %}
