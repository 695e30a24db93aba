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
        account_id,
        month,
        tier,
        segment,
        owner_email,
        cohort
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

-- Customers that paid in each month, and what happened with them: by all ways to split at once, then by part.
paying as (

    select
        month,
        tier,
        segment,
        owner_email,
        cohort,
        count(*) as customers
    from account_months
    group by month, tier, segment, owner_email, cohort

),

customers as (

    {{ sums_by_part('paying', ['month'], ['customers']) | indent(4) }}

),

counted as (

    select
        happened.kpi,
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        sum(happened.amount) as amount,
        sum(happened.amount * happened.amount) as squares
    from happened
    inner join account_months
        on
            happened.account_id = account_months.account_id
            and happened.month = account_months.month
    group by
        happened.kpi,
        account_months.month,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

counted_by_part as (

    {{ sums_by_part('counted', ['kpi', 'month'], ['amount', 'squares']) | indent(4) }}

),

by_part as (

    select
        asked.kpi,
        customers.month,
        customers.segment_kind,
        customers.segment,
        customers.customers,
        coalesce(counted_by_part.amount, 0) as amount,
        coalesce(counted_by_part.squares, 0) as squares
    from customers
    cross join asked
    left join counted_by_part
        on
            asked.kpi = counted_by_part.kpi
            and customers.month = counted_by_part.month
            and customers.segment_kind = counted_by_part.segment_kind
            and customers.segment = counted_by_part.segment

),

sums as (

    {{ sums_over_windows('by_part', ['kpi'], ['amount', 'customers', 'squares']) | indent(4) }}

),

amounts as (

    select
        kpi,
        month,
        window_months,
        segment_kind,
        segment,
        amount as numerator,
        customers as denominator,
        customers as n,
        'ratio' as interval_kind,
        greatest(squares - amount ^ 2 / customers, 0) as squares
    from sums

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

-- A customer once, by when it last took part.
took_part_within as (

    select
        took_part.kpi,
        took_part.account_id,
        ends.month,
        min(ends.within_months) as within_months
    from took_part
    cross join lateral {{ months_that_count('took_part.month') }}
    group by took_part.kpi, took_part.account_id, ends.month

),

participating as (

    select
        took_part_within.kpi,
        took_part_within.month,
        took_part_within.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort,
        count(*) as participants
    from took_part_within
    inner join account_months
        on
            took_part_within.account_id = account_months.account_id
            and took_part_within.month = account_months.month
    group by
        took_part_within.kpi,
        took_part_within.month,
        took_part_within.within_months,
        account_months.tier,
        account_months.segment,
        account_months.owner_email,
        account_months.cohort

),

participants as (

    {{ sums_by_part_and_window('participating', ['kpi', 'month'], ['participants']) | indent(4) }}

),

shares as (

    select
        invited.kpi,
        customers.month,
        windows.window_months,
        customers.segment_kind,
        customers.segment,
        coalesce(participants.participants, 0) as numerator,
        customers.customers as denominator,
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
        n,
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
