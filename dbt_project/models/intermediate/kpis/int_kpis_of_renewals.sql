{{ config(tags=['kpis']) }}

with

renewals as (

    select
        *,
        cast(month - interval '1 month' as date) as month_before
    from {{ ref('fct_renewals') }}
    where renewal_date <= {{ utc_day(present()) }}

),

account_months as (

    select * from {{ ref('fct_account_months') }}

),

-- Split by what the account was before the renewal: afterwards it may be gone.
placed as (

    select
        renewals.month,
        renewals.outcome,
        renewals.mrr,
        renewals.is_on_time,
        renewals.mrr_after,
        renewals.is_multi_year,
        coalesce(renewals.tier, account_months.tier, 'none') as tier,
        coalesce(account_months.segment, 'none') as segment,
        coalesce(account_months.owner_email, 'none') as owner_email,
        account_months.cohort
    from renewals
    left join account_months
        on
            renewals.account_id = account_months.account_id
            and renewals.month_before = account_months.month

),

by_part as (

    select
        placed.month,
        kinds.segment_kind,
        kinds.segment,
        count(*) as due,
        count(*) filter (where placed.outcome != 'open') as decided,
        count(*) filter (where placed.outcome = 'renewed') as renewed,
        count(*) filter (where placed.outcome = 'open') as open,
        count(*) filter (where placed.is_on_time) as on_time,
        count(*) filter (where placed.is_multi_year) as multi_year,
        coalesce(sum(placed.mrr) filter (where placed.outcome != 'open'), 0) as decided_mrr,
        coalesce(sum(placed.mrr) filter (where placed.outcome = 'renewed'), 0) as renewed_mrr,
        coalesce(sum(placed.mrr_after), 0) as mrr_after,
        coalesce(sum(placed.mrr * placed.mrr) filter (where placed.outcome != 'open'), 0) as squares,
        coalesce(sum(placed.mrr * placed.mrr) filter (where placed.outcome = 'renewed'), 0) as renewed_squares
    from placed
    cross join lateral {{ kpi_kinds('placed') }}
    group by placed.month, kinds.segment_kind, kinds.segment

),

counted as (

    {{ sums_over_windows(
        'by_part', [],
        [
            'due', 'decided', 'renewed', 'open', 'on_time', 'multi_year', 'decided_mrr', 'renewed_mrr', 'mrr_after', 'squares',
            'renewed_squares',
        ]
    ) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        counted.month,
        counted.window_months,
        counted.segment_kind,
        counted.segment,
        kpis.numerator,
        kpis.denominator,
        counted.decided as n,
        kpis.interval_kind,
        kpis.squares
    from counted
    cross join lateral (
        values
        ('renewal_rate', counted.renewed, counted.decided, 'share', null),
        (
            'renewal_rate_mrr',
            counted.renewed_mrr,
            counted.decided_mrr,
            'bounded',
            {{ residual_squares(
                'counted.renewed_mrr', 'counted.decided_mrr',
                'counted.renewed_squares', 'counted.renewed_squares', 'counted.squares'
            ) }}
        ),
        ('renewal_rate_possible', counted.renewed + counted.open, counted.due, 'share', null),
        ('on_time_renewal_rate', counted.on_time, counted.decided, 'share', null),
        ('renewal_growth', counted.mrr_after - counted.renewed_mrr, counted.renewed_mrr, null, null),
        ('multi_year_rate', counted.multi_year, counted.renewed, 'share', null)
    ) as kpis (kpi, numerator, denominator, interval_kind, squares)

)

select * from kpis
