{#
    Retention k months after the first paid month, or after signup. A cell of the triangle is the month in which a cohort
    reaches that age (window 1, split by cohort); over a year it is the mean of the cohorts that reached it, by size.
#}
{{ config(tags=['kpis']) }}

{%- set ages = [1, 3, 6, 12] %}

with

account_months as (

    select * from {{ ref('fct_account_months') }}
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

counted_by_part as (

    {{ sums_by_part('counted', ['month', 'age'], ['accounts', 'kept', 'mrr_at_start', 'mrr']) | indent(4) }}

),

first_paid as (

    {{ sums_over_windows('counted_by_part', ['age'], ['accounts', 'kept', 'mrr_at_start', 'mrr']) | indent(4) }}

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

signup_by_part as (

    select
        signup_cells.month,
        signup_cells.age,
        kinds.segment_kind,
        kinds.segment,
        sum(signup_cells.accounts) as accounts,
        sum(signup_cells.retained_accounts) as kept
    from signup_cells
    cross join lateral (values ('all', 'all'), ('cohort', signup_cells.cohort)) as kinds (segment_kind, segment)
    group by signup_cells.month, signup_cells.age, kinds.segment_kind, kinds.segment

),

signup as (

    {{ sums_over_windows('signup_by_part', ['age'], ['accounts', 'kept']) | indent(4) }}

),

kpis as (

    select
        'cohort_retention_m' || age as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        kept as numerator,
        accounts as denominator,
        accounts as n,
        'share' as interval_kind,
        null as squares
    from first_paid

    union all

    select
        'cohort_revenue_retention_m' || age as kpi,
        month,
        window_months,
        segment_kind,
        segment,
        mrr as numerator,
        mrr_at_start as denominator,
        accounts as n,
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
        kept as numerator,
        accounts as denominator,
        accounts as n,
        'share' as interval_kind,
        null as squares
    from signup

)

select * from kpis
