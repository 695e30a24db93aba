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

    select * from {{ ref('fct_account_months') }}

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
        month,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) as renewals,
        sum(mrr) as mrr,
        coalesce(sum(mrr) filter (where is_at_risk), 0) as risk_mrr
    from upcoming
    group by month, tier, segment, owner_email, cohort

),

by_part as (

    {{ sums_by_part('counted', ['month'], ['renewals', 'mrr', 'risk_mrr']) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        1 as window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        null as denominator,
        by_part.renewals as n,
        null as interval_kind,
        null as squares
    from by_part
    cross join lateral (
        values
        ('upcoming_renewals', by_part.renewals),
        ('upcoming_renewal_mrr', by_part.mrr),
        ('renewal_risk_mrr', by_part.risk_mrr)
    ) as kpis (kpi, numerator)

)

select * from kpis
