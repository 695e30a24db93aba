{#
    For alert rules, which ask at moments: the days on which terms renew around the moments asked about. Add-ons and
    trials do not renew.
#}
{{ config(materialized='view') }}

{%- set days_before = 60 %}
{%- set days_ahead = 400 %}

with

asked as (

    select
        {{ utc_day('min(moments.as_of)') }} - {{ days_before }} as first_day,
        {{ utc_day('max(moments.as_of)') }} + {{ days_ahead }} as last_day
    from {{ moments() }} as moments

),

terms as (

    select *
    from {{ ref('int_subscription_terms') }}
    where
        renews_on is not null
        and not is_addon
        and not is_trial

),

laps as (

    select
        terms.*,
        laps.lap,
        asked.first_day,
        asked.last_day,
        cast(terms.renews_on + make_interval(months => coalesce(terms.renews_every_months, 0) * laps.lap) as date)
            as renewal_date,
        case
            when laps.lap = 0 then terms.started_on
            else cast(terms.renews_on + make_interval(months => terms.renews_every_months * (laps.lap - 1)) as date)
        end as since
    from terms
    cross join asked
    cross join lateral generate_series(
        coalesce(greatest(0, (asked.first_day - terms.renews_on) / (31 * terms.renews_every_months)), 0),
        coalesce(greatest(0, (asked.last_day - terms.renews_on) / (28 * terms.renews_every_months) + 1), 0)
    ) as laps (lap)

),

renewal_dates as (

    select
        laps.subscription_id,
        laps.account_id,
        laps.product,
        laps.plan,
        laps.mrr,
        laps.renewal_type,
        laps.started_on,
        laps.ended_on,
        laps.lap,
        laps.since,
        laps.renewal_date,
        periods._loaded_at,
        laps.successor_subscription_id,
        laps.successor_started_on,
        least(successors._loaded_at, {{ utc_midnight('laps.successor_started_on') }}) as successor_signed_at,
        coalesce(successors._loaded_at, {{ utc_midnight('laps.successor_started_on') }}) as successor_known_at
    from laps
    inner join {{ ref('stg_subscriptions') }} as periods
        on laps.account_id = periods.account_id and laps.subscription_id = periods.subscription_id
    left join {{ ref('stg_subscriptions') }} as successors
        on laps.account_id = successors.account_id and laps.successor_subscription_id = successors.subscription_id
    where laps.renewal_date between laps.first_day and laps.last_day

)

select * from renewal_dates
