with

account_months as (

    select * from {{ ref('fct_account_months') }}
    where
        first_paid_month is not null
        and months_since_first_paid >= 0

),

sizes as (

    select
        first_paid_month,
        count(*) as accounts,
        sum(mrr) as mrr_start
    from account_months
    where months_since_first_paid = 0
    group by first_paid_month

),

-- A relation of its own: asked within the series, each server of a Citus would make the whole series.
newest as materialized (

    select max(month) as month
    from {{ ref('fct_account_months') }}
    where is_complete

),

-- An account that left long ago has no row any more, and pays nothing.
ages as (

    select
        sizes.first_paid_month,
        sizes.accounts,
        sizes.mrr_start,
        counts.age
    from sizes
    cross join newest
    cross join lateral generate_series(
        0,
        cast(
            12 * extract(year from age(newest.month, sizes.first_paid_month))
            + extract(month from age(newest.month, sizes.first_paid_month)) as integer
        )
    ) as counts (age)

),

paying as (

    select
        first_paid_month,
        months_since_first_paid as age,
        count(*) filter (where mrr > 0) as paying_accounts,
        sum(mrr) as mrr
    from account_months
    where is_complete
    group by first_paid_month, months_since_first_paid

),

cohorts as (

    select
        ages.first_paid_month as cohort,
        ages.age as months_since_first_paid,
        ages.accounts,
        coalesce(paying.paying_accounts, 0) as paying_accounts,
        cast(ages.mrr_start as double precision) as mrr_start,
        cast(coalesce(paying.mrr, 0) as double precision) as mrr,
        coalesce(paying.paying_accounts, 0) / cast(ages.accounts as double precision) as logo_retention,
        cast(coalesce(paying.mrr, 0) / nullif(ages.mrr_start, 0) as double precision) as revenue_retention
    from ages
    left join paying
        on
            ages.first_paid_month = paying.first_paid_month
            and ages.age = paying.age

)

select * from cohorts
