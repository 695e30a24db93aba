{{ config(materialized='table', tags=['kpis'], post_hook='analyze {{ this }}') }}

with

periods as (

    select
        *,
        {{ month_of('started_on') }} as first_month,
        {{ month_of(utc_day(present())) }} as present_month
    from {{ ref('int_paid_periods') }}
    where mrr > 0

),

-- A period counts in every month at whose last day it runs; in the month that is not over, on the present day.
period_months as{{ table_where_spread() }} (

    select
        periods.*,
        cast(months.month as date) as month
    from periods
    cross join
        lateral generate_series(
            greatest(cast(periods.first_month as timestamp), periods.present_month - interval '20 years'),
            cast(periods.present_month as timestamp),
            interval '1 month'
        ) as months (month)
    where
        periods.ended_on is null
        or periods.ended_on > {{ as_of_day_of_month('cast(months.month as date)') }}

),

product_months as (

    select
        account_id,
        month,
        product,
        sum(mrr) as mrr,
        sum(seats) as seats,
        string_agg(distinct plan, ',' order by plan) as plans,
        bool_or(not is_addon) as is_base,
        min(started_on) as paid_from,
        max(coalesce(ended_on, 'infinity')) as paid_until,
        cast(month + interval '1 month' as date) as next_month
    from period_months
    group by account_id, month, product

)

select * from product_months
