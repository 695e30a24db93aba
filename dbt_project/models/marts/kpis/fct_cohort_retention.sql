{{ config(tags=['kpis']) }}

with

accounts as (

    select
        account_id,
        cast(date_trunc('month', created_at at time zone 'UTC') as date) as cohort_month,
        {{ utc_day('churned_at') }} as churned_on
    from {{ ref('stg_accounts') }}

),

terms as (

    select * from {{ ref('int_subscription_terms') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

last_ends as (

    select
        terms.account_id,
        max(coalesce({{ held_until() }}, 'infinity')) as last_ended_on
    from terms
    group by terms.account_id

),

exits as (

    select
        accounts.cohort_month,
        least(accounts.churned_on, last_ends.last_ended_on) as left_on
    from accounts
    left join last_ends on accounts.account_id = last_ends.account_id

),

cohorts as (

    select
        cohort_month,
        count(*) as accounts
    from exits
    group by cohort_month

),

-- Months that are over, counted from the month of signup: 0 ends with the signup month itself.
cohort_months as (

    select
        cohorts.cohort_month,
        cohorts.accounts,
        months.months_since_signup,
        cast(cohorts.cohort_month + make_interval(months => months.months_since_signup + 1) as date) as month_end
    from cohorts
    cross join lateral generate_series(
        0,
        cast(
            extract(year from age({{ utc_day(present()) }}, cohorts.cohort_month)) * 12
            + extract(month from age({{ utc_day(present()) }}, cohorts.cohort_month))
            - 1 as integer
        )
    ) as months (months_since_signup)

),

accounts_left as (

    select
        cohort_months.cohort_month,
        cohort_months.months_since_signup,
        count(*) as accounts_left
    from cohort_months
    inner join exits
        on
            cohort_months.cohort_month = exits.cohort_month
            and cohort_months.month_end > exits.left_on
    group by cohort_months.cohort_month, cohort_months.months_since_signup

),

cohort_movements as (

    select
        accounts.cohort_month,
        movements.month,
        -- Decimal, so that a sum does not depend on the order of accounts.
        sum(cast(movements.mrr_change as numeric)) as mrr_change
    from movements
    inner join accounts on movements.account_id = accounts.account_id
    group by accounts.cohort_month, movements.month

),

cohort_mrr as (

    select
        cohort_months.cohort_month,
        cohort_months.months_since_signup,
        cast(sum(cohort_movements.mrr_change) as double precision) as mrr
    from cohort_months
    inner join cohort_movements
        on
            cohort_months.cohort_month = cohort_movements.cohort_month
            and cohort_months.month_end > cohort_movements.month
    group by cohort_months.cohort_month, cohort_months.months_since_signup

),

retention as (

    select
        cohort_months.cohort_month,
        cohort_months.months_since_signup,
        cast(cohort_months.accounts as integer) as accounts,
        cast(cohort_months.accounts - coalesce(accounts_left.accounts_left, 0) as integer) as retained_accounts,
        coalesce(
            first_value(cohort_mrr.mrr) over (
                partition by cohort_months.cohort_month
                order by cohort_months.months_since_signup
            ),
            0
        ) as mrr_start,
        coalesce(cohort_mrr.mrr, 0) as mrr_retained
    from cohort_months
    left join accounts_left
        on
            cohort_months.cohort_month = accounts_left.cohort_month
            and cohort_months.months_since_signup = accounts_left.months_since_signup
    left join cohort_mrr
        on
            cohort_months.cohort_month = cohort_mrr.cohort_month
            and cohort_months.months_since_signup = cohort_mrr.months_since_signup

)

select * from retention
