{#
    The base of every revenue KPI: made anew in full, because a contract that arrives late changes the past.
#}
{{
    config(
        tags=['kpis'],
        pre_hook=['set local jit = off', more_work_mem()],
        post_hook='analyze {{ this }}',
    )
}}

{%- set months_kept = 12 %}

with

product_months as (

    select * from {{ ref('int_product_months') }}

),

periods as{{ table_where_spread() }} (

    select
        terms.*,
        row_number() over (partition by terms.account_id order by {{ most_important_first('terms') }}) as importance
    from {{ ref('int_paid_periods') }} as terms

),

paid_months as (

    select
        account_id,
        month,
        sum(mrr) as mrr,
        sum(seats) filter (where is_base) as seats,
        min(paid_from) as paid_from,
        max(paid_until) as paid_until
    from product_months
    group by account_id, month

),

account_ranges as (

    select
        account_id,
        min(started_on) as first_started_on,
        max(coalesce(ended_on, 'infinity')) as last_ended_on
    from periods
    group by account_id

),

first_paid as (

    select
        account_id,
        min(month) as first_paid_month
    from paid_months
    group by account_id

),

-- From signup (or the first period) to the present; of who has left, a year longer, so that a look back finds them.
accounts as (

    select
        accounts.account_id,
        {{ utc_day('accounts.created_at') }} as signed_up_on,
        {{ utc_day('accounts.churned_at') }} as churned_on,
        first_paid.first_paid_month,
        {{ month_of('least(' ~ utc_day('accounts.created_at') ~ ', account_ranges.first_started_on)') }}
            as first_month,
        case
            when accounts.churned_at is not null
                then {{ month_of(utc_day('accounts.churned_at')) }}
            when account_ranges.last_ended_on <= {{ utc_day(present()) }}
                then {{ month_of('account_ranges.last_ended_on') }}
            else {{ month_of(utc_day(present())) }}
        end as last_month
    from {{ ref('stg_accounts') }} as accounts
    left join account_ranges on accounts.account_id = account_ranges.account_id
    left join first_paid on accounts.account_id = first_paid.account_id

),

spine as{{ table_where_spread() }} (

    select
        accounts.account_id,
        accounts.signed_up_on,
        accounts.churned_on,
        accounts.first_paid_month,
        cast(months.month as date) as month,
        {{ as_of_day_of_month('cast(months.month as date)') }} as as_of_day
    from accounts
    cross join lateral generate_series(
        -- A date of another century is a slip, and would be a row for each of its months.
        greatest(cast(accounts.first_month as timestamp), {{ month_of(utc_day(present())) }} - interval '20 years'),
        least(
            cast({{ month_of(utc_day(present())) }} as timestamp),
            accounts.last_month + interval '{{ months_kept }} months'
        ),
        interval '1 month'
    ) as months (month)

),

-- The base period that counts most on the day says tier and plan.
main_periods as (

    select distinct on (spine.account_id, spine.month)
        spine.account_id,
        spine.month,
        periods.tier,
        periods.plan,
        periods.is_trial
    from spine
    inner join periods
        on
            spine.account_id = periods.account_id
            and spine.as_of_day >= periods.started_on
            and (periods.ended_on is null or spine.as_of_day < periods.ended_on)
            and not periods.is_addon
    order by spine.account_id asc, spine.month asc, periods.importance asc

),

-- The earliest version of an account stands in for the time before it.
account_versions as (

    select
        account_id,
        tier,
        plan,
        industry,
        country,
        owner_email,
        case
            when row_number() over (partition by account_id order by dbt_valid_from, dbt_valid_to) > 1
                then {{ utc_day("dbt_valid_from at time zone 'UTC'") }}
            else '-infinity'
        end as valid_from,
        coalesce({{ utc_day("dbt_valid_to at time zone 'UTC'") }}, 'infinity') as valid_to
    from {{ ref('accounts_snapshot') }}

),

-- Of two versions of one day the later one counts.
versions as (

    select distinct on (spine.account_id, spine.month)
        spine.account_id,
        spine.month,
        account_versions.tier,
        account_versions.plan,
        account_versions.industry,
        account_versions.country,
        account_versions.owner_email
    from spine
    inner join account_versions
        on
            spine.account_id = account_versions.account_id
            and spine.as_of_day >= account_versions.valid_from
            and spine.as_of_day <= account_versions.valid_to
    order by spine.account_id asc, spine.month asc, account_versions.valid_from desc

),

account_months as (

    select
        spine.account_id,
        spine.month,
        spine.as_of_day,
        spine.signed_up_on,
        spine.first_paid_month,
        versions.industry,
        versions.country,
        paid_months.seats,
        paid_months.paid_from,
        paid_months.paid_until,
        coalesce(main_periods.tier, versions.tier, 'none') as tier,
        coalesce(main_periods.plan, versions.plan) as plan,
        coalesce(versions.owner_email, 'none') as owner_email,
        coalesce(paid_months.mrr, 0) as mrr,
        case
            when paid_months.mrr > 0 then 'paying'
            when spine.churned_on <= spine.as_of_day then 'churned'
            when main_periods.is_trial then 'trial'
            when spine.first_paid_month < spine.month then 'churned'
            else 'free'
        end as status
    from spine
    left join paid_months
        on
            spine.account_id = paid_months.account_id
            and spine.month = paid_months.month
    left join main_periods
        on
            spine.account_id = main_periods.account_id
            and spine.month = main_periods.month
    left join versions
        on
            spine.account_id = versions.account_id
            and spine.month = versions.month

),

with_segment as (

    select
        *,
        coalesce({{ kpi_segment() }}, 'none') as segment,
        max(paid_until) over (
            partition by account_id order by month rows between unbounded preceding and 1 preceding
        ) as paid_until_before
    from account_months

),

with_look_back as (

    select
        account_id,
        month,
        as_of_day,
        {{ month_is_over('month') }} as is_complete,
        status,
        cast(mrr as numeric(38, 9)) as mrr,
        cast(case when seats > 2147483647 then 2147483647 else seats end as integer) as seats,
        tier,
        segment,
        owner_email,
        plan,
        signed_up_on,
        first_paid_month,
        to_char(first_paid_month, 'YYYY-MM') as cohort,
        cast(
            (extract(year from month) - extract(year from first_paid_month)) * 12
            + extract(month from month) - extract(month from first_paid_month) as integer
        ) as months_since_first_paid,
        {%- for months in [1, 3, 12] %}
        coalesce(lag(mrr, {{ months }}) over account_order, 0) as mrr_{{ months }}m_ago,
        lag(tier, {{ months }}) over account_order as tier_{{ months }}m_ago,
        lag(segment, {{ months }}) over account_order as segment_{{ months }}m_ago,
        lag(owner_email, {{ months }}) over account_order as owner_{{ months }}m_ago,
        least(mrr, coalesce(lag(mrr, {{ months }}) over account_order, 0)) as retained_mrr_{{ months }}m,
        {%- endfor %}
        case when status = 'paying' then paid_from - nullif(paid_until_before, 'infinity') end as days_unpaid_before
    from with_segment
    window account_order as (partition by account_id order by month)

)

select * from with_look_back
