{{ config(tags=['kpis']) }}

with

account_months as (

    select
        *,
        {{ last_week_ended('as_of_day') }} as week
    from {{ ref('fct_account_months') }}
    where status != 'churned'

),

account_weeks as (

    select
        account_id,
        week,
        feature_adoption_ratio,
        login_frequency
    from {{ ref('fct_account_weeks') }}

),

active_users as (

    select
        account_id,
        {{ month_of('activity_date') }} as month,
        count(distinct user_id) as users
    from {{ ref('int_user_activity_daily') }}
    where
        user_id != ''
        and activity_date <= {{ utc_day(present()) }}
    group by account_id, {{ month_of('activity_date') }}

),

counted as (

    select
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        count(*) as accounts,
        coalesce(sum(active_users.users), 0) as users,
        count(account_weeks.feature_adoption_ratio) as adopting,
        coalesce(sum(account_weeks.feature_adoption_ratio), 0) as adoption,
        coalesce(sum(account_weeks.feature_adoption_ratio ^ 2), 0) as adoption_squares,
        count(account_weeks.login_frequency) as seen,
        coalesce(sum(account_weeks.login_frequency), 0) as frequency,
        coalesce(sum(account_weeks.login_frequency ^ 2), 0) as frequency_squares
    from account_months
    left join active_users
        on
            account_months.account_id = active_users.account_id
            and account_months.month = active_users.month
    left join account_weeks
        on
            account_months.account_id = account_weeks.account_id
            and account_months.week = account_weeks.week
    group by
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

by_part as (

    {{ sums_by_part(
        'counted', ['month'],
        ['accounts', 'users', 'adopting', 'adoption', 'adoption_squares', 'seen', 'frequency', 'frequency_squares']
    ) | indent(4) }}

),

kpis as (

    select
        kpis.kpi,
        by_part.month,
        1 as window_months,
        by_part.segment_kind,
        by_part.segment,
        kpis.numerator,
        kpis.denominator,
        kpis.n,
        kpis.interval_kind,
        kpis.squares
    from by_part
    cross join lateral (
        values
        ('monthly_active_users', by_part.users, null, by_part.accounts, null, null),
        (
            'adoption_rate',
            by_part.adoption,
            by_part.adopting,
            by_part.adopting,
            'bounded',
            greatest(by_part.adoption_squares - by_part.adoption ^ 2 / nullif(by_part.adopting, 0), 0)
        ),
        (
            'usage_frequency',
            by_part.frequency,
            by_part.seen,
            by_part.seen,
            'bounded',
            greatest(by_part.frequency_squares - by_part.frequency ^ 2 / nullif(by_part.seen, 0), 0)
        )
    ) as kpis (kpi, numerator, denominator, n, interval_kind, squares)

)

select * from kpis
