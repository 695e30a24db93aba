{{ config(tags=['kpis']) }}

{%- set days_allowed = 30 %}
{%- set hours_allowed = 72 %}

with

accounts as (

    select
        account_id,
        created_at,
        churned_at
    from {{ ref('stg_accounts') }}

),

account_months as (

    select
        account_id,
        month,
        tier,
        segment,
        owner_email,
        cohort
    from {{ ref('fct_account_months') }}

),

progress as (

    select
        account_id,
        min(completed_at) filter (where is_aha) as first_value_at,
        bool_or(is_aha) as has_first_value_step,
        bool_and(completed_at is not null) as is_done,
        max(completed_at) as last_completed_at
    from {{ ref('stg_onboarding_progress') }}
    group by account_id

),

onboarded as (

    select
        accounts.account_id,
        accounts.created_at,
        accounts.churned_at,
        progress.has_first_value_step,
        case when progress.first_value_at <= {{ present() }} then progress.first_value_at end as first_value_at,
        accounts.created_at + interval '{{ days_allowed }} days' as due_at,
        coalesce(
            progress.is_done
            and progress.last_completed_at <= accounts.created_at + interval '{{ days_allowed }} days',
            false
        ) as is_in_time
    from accounts
    inner join progress on accounts.account_id = progress.account_id
    where accounts.created_at <= {{ present() }}

),

-- Only who has had the time that is allowed counts, by when it was over.
shares as (

    select
        'onboarding_completion' as kpi,
        account_id,
        due_at as counted_at,
        is_in_time as is_met
    from onboarded
    where due_at <= {{ present() }}

    union all

    select
        'first_value_in_72h' as kpi,
        account_id,
        created_at + interval '{{ hours_allowed }} hours' as counted_at,
        coalesce(first_value_at <= created_at + interval '{{ hours_allowed }} hours', false) as is_met
    from onboarded
    where
        has_first_value_step
        and created_at + interval '{{ hours_allowed }} hours' <= {{ present() }}

),

counted as (

    select
        shares.kpi,
        ends.month,
        ends.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        count(*) filter (where shares.is_met) as numerator,
        count(*) as n
    from shares
    cross join lateral {{ months_that_count(month_of(utc_day('shares.counted_at'))) }}
    inner join account_months
        on
            shares.account_id = account_months.account_id
            and ends.month = account_months.month
    group by
        shares.kpi,
        ends.month,
        ends.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

shares_by_part as (

    {{ sums_by_part_and_window('counted', ['kpi', 'month'], ['numerator', 'n']) | indent(4) }}

),

-- Hours to first value of who signed up in the window; who is not there yet, or left, has waited at least so long.
signups_in_windows as (

    select
        onboarded.account_id,
        onboarded.created_at,
        onboarded.churned_at,
        onboarded.first_value_at,
        ends.month,
        ends.within_months,
        least({{ utc_midnight("cast(ends.month + interval '1 month' as date)") }}, {{ present() }}) as seen_until
    from onboarded
    cross join lateral {{ months_that_count(month_of(utc_day('onboarded.created_at'))) }}
    where onboarded.has_first_value_step

),

waits as (

    select
        signups_in_windows.month,
        signups_in_windows.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        extract(
            epoch from least(
                signups_in_windows.first_value_at, signups_in_windows.churned_at, signups_in_windows.seen_until
            ) - signups_in_windows.created_at
        ) / 3600 as hours,
        count(*) filter (where signups_in_windows.first_value_at <= signups_in_windows.seen_until) as arrived,
        count(*) as leaving
    from signups_in_windows
    inner join account_months
        on
            signups_in_windows.account_id = account_months.account_id
            and signups_in_windows.month = account_months.month
    group by
        signups_in_windows.month,
        signups_in_windows.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        hours

),

waits_by_part as (

    {{ sums_by_part_and_window('waits', ['month', 'hours'], ['arrived', 'leaving']) | indent(4) }}

),

at_risk as (

    select
        month,
        window_months,
        segment_kind,
        segment,
        hours,
        arrived,
        leaving,
        sum(leaving) over (
            partition by month, window_months, segment_kind, segment
            order by hours desc rows between unbounded preceding and current row
        ) as waiting
    from waits_by_part

),

-- Kaplan and Meier: the share that still waits, as the product of the shares that did not arrive at each hour.
still_waiting as (

    select
        *,
        case
            when min(1 - arrived / waiting) over until_then <= 0 then 0
            else exp(sum(ln(greatest(1 - arrived / waiting, 1e-300))) over until_then)
        end as share_waiting
    from at_risk
    window
        until_then as (
            partition by month, window_months, segment_kind, segment
            order by hours asc rows between unbounded preceding and current row
        )

),

medians as (

    select
        month,
        window_months,
        segment_kind,
        segment,
        sum(leaving) as n,
        -- Half an ulp of rounding in the product must not skip the median.
        min(hours) filter (where share_waiting <= 0.5 + 1e-9) as median_hours
    from still_waiting
    group by month, window_months, segment_kind, segment

),

kpis as (

    select
        kpi,
        month,
        window_months,
        segment_kind,
        segment,
        numerator,
        n as denominator,
        n,
        'share' as interval_kind,
        null as squares
    from shares_by_part

    union all

    select
        'time_to_first_value' as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        median_hours as numerator,
        null as denominator,
        n,
        null as interval_kind,
        null as squares
    from medians

)

select * from kpis
where {{ has_source('onboarding_progress') }}
