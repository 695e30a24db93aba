{{ config(tags=['kpis']) }}

{%- set days_ahead = 90 %}

with

months as (

    select distinct
        month,
        as_of_day,
        {{ last_week_ended('as_of_day') }} as week
    from {{ ref('fct_account_months') }}

),

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}

),

renewals as (

    select * from {{ ref('fct_renewals') }}

),

scores as (

    select
        account_id,
        week,
        is_at_risk
    from {{ active_scores() }}

),

-- As it stood on the day: a renewal signed since then was still ahead.
upcoming as (

    select
        months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        renewals.mrr,
        coalesce(scores.is_at_risk, false) as is_at_risk
    from months
    inner join renewals
        on
            months.as_of_day < renewals.renewal_date
            and months.as_of_day + {{ days_ahead }} >= renewals.renewal_date
            and months.as_of_day >= renewals.started_on
            and (renewals.gone_on is null or months.as_of_day < renewals.gone_on)
            and (renewals.successor_known_on is null or months.as_of_day < renewals.successor_known_on)
    inner join account_months
        on
            renewals.account_id = account_months.account_id
            and months.month = account_months.month
    left join scores
        on
            renewals.account_id = scores.account_id
            and months.week = scores.week

),

counted as (

    select
        upcoming.month,
        kinds.segment_kind,
        kinds.segment,
        count(*) as renewals,
        sum(upcoming.mrr) as mrr,
        coalesce(sum(upcoming.mrr) filter (where upcoming.is_at_risk), 0) as risk_mrr
    from upcoming
    cross join lateral {{ kpi_kinds('upcoming') }}
    group by upcoming.month, kinds.segment_kind, kinds.segment

),

kpis as (

    select
        kpis.kpi,
        counted.month,
        1 as window_months,
        counted.segment_kind,
        counted.segment,
        cast(kpis.numerator as double precision) as numerator,
        cast(null as double precision) as denominator,
        counted.renewals as n,
        cast(null as text) as interval_kind,
        cast(null as double precision) as squares
    from counted
    cross join lateral (
        values
        ('upcoming_renewals', counted.renewals),
        ('upcoming_renewal_mrr', counted.mrr),
        ('renewal_risk_mrr', counted.risk_mrr)
    ) as kpis (kpi, numerator)

)

select * from kpis
