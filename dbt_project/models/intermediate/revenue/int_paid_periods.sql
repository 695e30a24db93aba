{#
    The one place that says what counts as recurring revenue and until when. Parameters: docs/kpis.md.
#}
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
-- once.
running_periods as (

    select
        terms.subscription_id,
        terms.account_id,
        terms.product,
        terms.plan,
        terms.tier,
        terms.seats,
        terms.is_trial,
        terms.is_addon,
        terms.started_on,
        -- Decimal, because binary fractions would leave a residue where sums must meet at zero; in the digits of the
        -- marts, because what is nothing there must not count as paid here.
        cast({{ recurring_mrr('terms') }} as numeric(38, 9)) as mrr,
        least({{ held_until() }}, accounts.churned_on) as ended_on
    from terms
    inner join accounts on terms.account_id = accounts.account_id
    where terms.started_on <= {{ utc_day(present()) }}

),
{% if kpi_churn_date() == 'cancellation_request' %}
requests as (

    select
        account_id,
        {{ utc_day('requested_at') }} as requested_on
    from {{ ref('stg_cancellation_requests') }}
    where withdrawn_at is null

),

-- Only what did end is ended by the request; the last one before the end counts.
until_request as (

    select
        running_periods.*,
        coalesce(
            (
                select max(requests.requested_on)
                from requests
                where
                    running_periods.account_id = requests.account_id
                    and requests.requested_on > running_periods.started_on
                    and requests.requested_on <= running_periods.ended_on
            ),
            running_periods.ended_on
        ) as counted_until
    from running_periods

),
{% else %}
until_request as (

    select
        *,
        ended_on as counted_until
    from running_periods

),
{% endif %}
paid_periods as (

    select
        subscription_id,
        account_id,
        product,
        plan,
        tier,
        seats,
        is_trial,
        is_addon,
        mrr,
        started_on,
        counted_until as ended_on
    from until_request
    where counted_until is null or counted_until > started_on

)

select * from paid_periods
