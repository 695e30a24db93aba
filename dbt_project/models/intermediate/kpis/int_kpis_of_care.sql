{#
    What customers ask of us, what we do for them, and what they do for others: events of a month held against the
    customers that paid in it. Over a longer window customers count once a month, so "per customer" means and month.
#}
{{ config(tags=['kpis']) }}

{%- set events = {
    'tickets_per_customer': ('tickets', 'stg_tickets', 'created_at', '1', none),
    'touchpoints_per_customer': ('touchpoints', 'stg_touchpoints', 'held_at', '1', none),
    'value_per_customer': ('value_log', 'stg_value_log', utc_midnight('recorded_on'), 'amount', none),
} %}
{%- set participations = {
    'referral_rate': ('referrals', 'stg_referrals', 'referred_at', none),
    'reference_participation': ('customer_references', 'stg_customer_references', 'provided_at', none),
    'certified_customers': ('certifications', 'stg_certifications', 'earned_at', none),
    'review_coverage': ('touchpoints', 'stg_touchpoints', 'held_at', "kind in ('qbr', 'executive_call')"),
    'webinar_participation': (
        'event_attendance', 'stg_event_attendance', 'occurred_at',
        "kind = 'webinar' and coalesce(has_attended, true)"
    ),
    'office_hours_participation': (
        'event_attendance', 'stg_event_attendance', 'occurred_at',
        "kind = 'office_hours' and coalesce(has_attended, true)"
    ),
    'user_group_participation': (
        'event_attendance', 'stg_event_attendance', 'occurred_at',
        "kind = 'user_group' and coalesce(has_attended, true)"
    ),
    'community_engagement': (
        'event_attendance', 'stg_event_attendance', 'occurred_at',
        "kind in ('community', 'user_group', 'webinar', 'office_hours') and coalesce(has_attended, true)"
    ),
} %}

with

account_months as (

    select
        *,
        to_char(first_paid_month, 'YYYY-MM') as cohort
    from {{ ref('fct_account_months') }}
    where status = 'paying'

),

happened as (
    {% for kpi, (table, model, happened_at, amount, condition) in events.items() %}
    select
        '{{ kpi }}' as kpi,
        account_id,
        {{ month_of(utc_day(happened_at)) }} as month,
        sum({{ amount }}) as amount
    from {{ ref(model) }}
    where {{ happened_at }} <= {{ present() }}
    group by account_id, {{ month_of(utc_day(happened_at)) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

asked as (
    {% for kpi, (table, model, happened_at, amount, condition) in events.items() %}
    select '{{ kpi }}' as kpi
    where {{ has_source(table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (

    select
        asked.kpi,
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        count(*) as customers,
        coalesce(sum(happened.amount), 0) as amount,
        coalesce(sum(happened.amount * happened.amount), 0) as squares
    from account_months
    cross join asked
    left join happened
        on
            asked.kpi = happened.kpi
            and account_months.account_id = happened.account_id
            and account_months.month = happened.month
    group by
        asked.kpi,
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

-- Parts first and windows then: there are fewer parts than kinds of accounts.
by_part as (

    select
        counted.kpi,
        counted.month,
        kinds.segment_kind,
        kinds.segment,
        sum(counted.amount) as amount,
        sum(counted.customers) as customers,
        sum(counted.squares) as squares
    from counted
    cross join lateral {{ kpi_kinds('counted') }}
    group by counted.kpi, counted.month, kinds.segment_kind, kinds.segment

),

amounts as (

    select
        by_part.kpi,
        ends.month,
        windows.window_months,
        by_part.segment_kind,
        by_part.segment,
        cast(sum(by_part.amount) as double precision) as numerator,
        cast(sum(by_part.customers) as double precision) as denominator,
        sum(by_part.customers) as n,
        'ratio' as interval_kind,
        cast(
            greatest(sum(by_part.squares) - sum(by_part.amount) ^ 2 / sum(by_part.customers), 0) as double precision
        ) as squares
    from by_part
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('by_part.month', 'windows.window_months') }}
    group by by_part.kpi, ends.month, windows.window_months, by_part.segment_kind, by_part.segment

),

took_part as (
    {% for kpi, (table, model, happened_at, condition) in participations.items() %}
    select
        '{{ kpi }}' as kpi,
        account_id,
        {{ month_of(utc_day(happened_at)) }} as month
    from {{ ref(model) }}
    where
        {{ happened_at }} <= {{ present() }}
        {{ 'and ' ~ condition if condition }}
    {{ 'union' if not loop.last }}
    {% endfor %}
),

invited as (
    {% for kpi, (table, model, happened_at, condition) in participations.items() %}
    select '{{ kpi }}' as kpi
    where {{ has_source(table) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

took_part_in_window as (

    select distinct
        took_part.kpi,
        took_part.account_id,
        ends.month,
        windows.window_months
    from took_part
    cross join {{ kpi_windows() }}
    cross join lateral {{ months_that_count('took_part.month', 'windows.window_months') }}

),

participants as (

    select
        took_part_in_window.kpi,
        took_part_in_window.month,
        took_part_in_window.window_months,
        kinds.segment_kind,
        kinds.segment,
        count(*) as participants
    from took_part_in_window
    inner join account_months
        on
            took_part_in_window.account_id = account_months.account_id
            and took_part_in_window.month = account_months.month
    cross join lateral {{ kpi_kinds('account_months') }}
    group by
        took_part_in_window.kpi,
        took_part_in_window.month,
        took_part_in_window.window_months,
        kinds.segment_kind,
        kinds.segment

),

customers as (

    select
        account_months.month,
        kinds.segment_kind,
        kinds.segment,
        count(*) as customers
    from account_months
    cross join lateral {{ kpi_kinds('account_months') }}
    group by account_months.month, kinds.segment_kind, kinds.segment

),

shares as (

    select
        invited.kpi,
        customers.month,
        windows.window_months,
        customers.segment_kind,
        customers.segment,
        cast(coalesce(participants.participants, 0) as double precision) as numerator,
        cast(customers.customers as double precision) as denominator,
        customers.customers as n,
        'share' as interval_kind,
        cast(null as double precision) as squares
    from customers
    cross join invited
    cross join {{ kpi_windows() }}
    left join participants
        on
            invited.kpi = participants.kpi
            and customers.month = participants.month
            and windows.window_months = participants.window_months
            and customers.segment_kind = participants.segment_kind
            and customers.segment = participants.segment

),

kpis as (

    select
        kpi,
        month,
        window_months,
        segment_kind,
        segment,
        numerator,
        denominator,
        cast(n as bigint) as n,
        interval_kind,
        squares
    from amounts

    union all

    select
        kpi,
        month,
        window_months,
        segment_kind,
        segment,
        numerator,
        denominator,
        n,
        interval_kind,
        squares
    from shares

)

select * from kpis
