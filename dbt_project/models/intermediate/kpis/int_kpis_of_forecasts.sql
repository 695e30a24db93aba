{#
    How good the renewal forecasts were that were made 24 to 30 days ahead (of those there is one a renewal), and how good
    the calls of CSMs that stood beside them. Renewals that are still open are not judged.
#}
{{ config(tags=['kpis']) }}

with

forecasts as (

    select * from {{ source('cs', 'renewal_forecasts') }}
    where
        renewal_date - (week + 6) between 24 and 30
        and likelihood is not null

),

renewals as (

    select
        *,
        cast(month - interval '1 month' as date) as month_before
    from {{ ref('fct_renewals') }}
    where
        outcome != 'open'
        and renewal_date <= {{ utc_day(present()) }}

),

account_months as (

    select * from {{ ref('fct_account_months') }}

),

-- Split by what the account was before the renewal, as renewal rates are.
judged as (

    select
        renewals.month,
        coalesce(renewals.tier, account_months.tier, 'none') as tier,
        coalesce(account_months.segment, 'none') as segment,
        coalesce(account_months.owner_email, 'none') as owner_email,
        account_months.cohort,
        made.kind,
        made.likelihood,
        forecasts.mrr,
        cast(renewals.outcome = 'renewed' as integer) as is_renewed
    from forecasts
    inner join renewals
        on
            forecasts.subscription_id = renewals.subscription_id
            and forecasts.renewal_date = renewals.renewal_date
    left join account_months
        on
            renewals.account_id = account_months.account_id
            and renewals.month_before = account_months.month
    cross join
        lateral (
            values
            ('forecast', forecasts.likelihood),
            ('csm_call', forecasts.csm_call)
        ) as made (kind, likelihood)
    where made.likelihood is not null

),

by_part as (

    select
        judged.kind,
        judged.month,
        kinds.segment_kind,
        kinds.segment,
        count(*) as n,
        sum(judged.mrr) as decided_mrr,
        sum(judged.mrr * judged.likelihood) as expected_mrr,
        sum(judged.mrr * judged.is_renewed) as renewed_mrr,
        sum((judged.likelihood - judged.is_renewed) ^ 2) as errors,
        sum((judged.likelihood - judged.is_renewed) ^ 4) as error_squares
    from judged
    cross join lateral {{ kpi_kinds('judged') }}
    group by judged.kind, judged.month, kinds.segment_kind, kinds.segment

),

counted as (

    {{ sums_over_windows(
        'by_part', ['kind'], ['n', 'decided_mrr', 'expected_mrr', 'renewed_mrr', 'errors', 'error_squares']
    ) | indent(4) }}

),

kpis as (

    select
        counted.kind || kpis.suffix as kpi,
        counted.month,
        counted.window_months,
        counted.segment_kind,
        counted.segment,
        kpis.numerator,
        kpis.denominator,
        counted.n,
        kpis.interval_kind,
        kpis.squares
    from counted
    cross join lateral (
        values
        (
            '_accuracy',
            counted.decided_mrr - abs(counted.expected_mrr - counted.renewed_mrr),
            counted.decided_mrr,
            'none',
            null
        ),
        (
            '_brier',
            counted.errors,
            counted.n,
            'bounded',
            greatest(counted.error_squares - counted.errors ^ 2 / counted.n, 0)
        )
    ) as kpis (suffix, numerator, denominator, interval_kind, squares)

)

select * from kpis
