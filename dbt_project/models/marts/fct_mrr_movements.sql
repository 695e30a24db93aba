with

accounts as (

    select
        account_id,
        {{ utc_day('churned_at') }} as churned_on
    from {{ ref('stg_accounts') }}

),

terms as (

    select * from {{ ref('int_subscription_terms') }}

),

-- A term counts until its successor takes its place, so a renewal signed late is no churn and one signed early counts
-- once. Decimal, because binary fractions would leave a residue where sums must meet at zero.
paid_periods as (

    select
        terms.account_id,
        terms.started_on,
        cast(terms.mrr as numeric) as mrr,
        least({{ held_until() }}, accounts.churned_on) as ended_on
    from terms
    inner join accounts on terms.account_id = accounts.account_id
    where
        not terms.is_trial
        and terms.mrr > 0

),

mrr_changes as (

    select
        account_id,
        started_on as changed_on,
        mrr as mrr_change
    from paid_periods
    where
        ended_on is null
        or ended_on > started_on

    union all

    select
        account_id,
        ended_on as changed_on,
        -mrr as mrr_change
    from paid_periods
    where ended_on > started_on

),

month_changes as (

    select
        account_id,
        cast(date_trunc('month', cast(changed_on as timestamp)) as date) as month,
        sum(mrr_change) as mrr_change
    from mrr_changes
    where changed_on <= {{ utc_day(present()) }}
    group by account_id, cast(date_trunc('month', cast(changed_on as timestamp)) as date)

),

with_mrr as (

    select
        *,
        sum(mrr_change) over (partition by account_id order by month) as mrr_after
    from month_changes

),

with_history as (

    select
        *,
        mrr_after - mrr_change as mrr_before,
        coalesce(
            max(mrr_after) over (
                partition by account_id
                order by month
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as highest_mrr_before
    from with_mrr

),

movements as (

    select
        account_id,
        month,
        case
            when mrr_before = 0 and highest_mrr_before = 0 then 'new'
            when mrr_before = 0 then 'reactivation'
            when mrr_after = 0 then 'churn'
            when mrr_change > 0 then 'expansion'
            else 'contraction'
        end as movement,
        cast(mrr_before as double precision) as mrr_before,
        cast(mrr_after as double precision) as mrr_after,
        cast(mrr_change as double precision) as mrr_change
    from with_history
    where mrr_change != 0

)

select * from movements
