{#
    Retention k months after the first paid month, or after signup. A cell of the triangle is the month in which a cohort
    reaches that age (window 1, split by cohort); over a year it is the mean of the cohorts that reached it, by size.
#}
{{ config(tags=['kpis']) }}

{%- set ages = [1, 3, 6, 12] %}

with

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}
    where months_since_first_paid >= 0

),

with_start as (

    select
        *,
        first_value(mrr) over (partition by account_id order by month) as mrr_at_start
    from account_months

),

counted as (

    select
        month,
        months_since_first_paid as age,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) as accounts,
        count(*) filter (where mrr > 0) as kept,
        sum(mrr_at_start) as mrr_at_start,
        sum(mrr) as mrr
    from with_start
    where months_since_first_paid in ({{ ages | join(', ') }})
    group by month, months_since_first_paid, tier, segment, owner_email, cohort

),

first_paid as (

    select
        ends.month,
        windows.window_months,
        kinds.segment_kind,
        kinds.segment,
        counted.age,
        sum(counted.accounts) as accounts,
        sum(counted.kept) as kept,
        sum(counted.mrr_at_start) as mrr_at_start,
        sum(counted.mrr) as mrr
    from counted
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('counted.month', 'windows.window_months') }}
    cross join lateral {{ kpi_kinds('counted') }}
    group by ends.month, windows.window_months, kinds.segment_kind, kinds.segment, counted.age

),

signup_cells as (

    select
        cast(cohort_month + make_interval(months => months_since_signup) as date) as month,
        months_since_signup as age,
        to_char(cohort_month, 'YYYY-MM') as cohort,
        accounts,
        retained_accounts
    from {{ ref('fct_cohort_retention') }}
    where months_since_signup in ({{ ages | join(', ') }})

),

signup as (

    select
        ends.month,
        windows.window_months,
        kinds.segment_kind,
        kinds.segment,
        signup_cells.age,
        sum(signup_cells.accounts) as accounts,
        sum(signup_cells.retained_accounts) as kept
    from signup_cells
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('signup_cells.month', 'windows.window_months') }}
    cross join lateral (values ('all', 'all'), ('cohort', signup_cells.cohort)) as kinds (segment_kind, segment)
    group by ends.month, windows.window_months, kinds.segment_kind, kinds.segment, signup_cells.age

),

kpis as (

    select
        'cohort_retention_m' || age as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        cast(kept as double precision) as numerator,
        cast(accounts as double precision) as denominator,
        cast(accounts as bigint) as n,
        'share' as interval_kind,
        cast(null as double precision) as squares
    from first_paid

    union all

    select
        'cohort_revenue_retention_m' || age as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        cast(mrr as double precision) as numerator,
        cast(mrr_at_start as double precision) as denominator,
        cast(accounts as bigint) as n,
        null as interval_kind,
        null as squares
    from first_paid

    union all

    select
        'cohort_signup_retention_m' || age as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        cast(kept as double precision) as numerator,
        cast(accounts as double precision) as denominator,
        cast(accounts as bigint) as n,
        'share' as interval_kind,
        null as squares
    from signup

)

select * from kpis
