{{ config(post_hook='analyze {{ this }}') }}

{%- set days_ahead = 92 %}

with

accounts as (

    select
        account_id,
        {{ utc_day('churned_at') }} as churned_on
    from {{ ref('stg_accounts') }}

),

terms as{{ table_where_spread() }} (

    select
        terms.*,
        least({{ held_until() }}, accounts.churned_on) as gone_on
    from {{ ref('int_subscription_terms') }} as terms
    inner join accounts on terms.account_id = accounts.account_id
    where
        terms.renews_on is not null
        and terms.mrr > 0
        and not terms.is_trial
        and not terms.is_addon

),

-- What renews by itself has a renewal date after each.
due as (

    select
        terms.*,
        laps.lap,
        cast(terms.renews_on + make_interval(months => coalesce(terms.renews_every_months, 0) * laps.lap) as date)
            as renewal_date
    from terms
    cross join lateral generate_series(
        0,
        coalesce(
            greatest(
                0,
                (least(terms.gone_on, {{ utc_day(present()) }} + {{ days_ahead }}) - terms.renews_on)
                / (28 * terms.renews_every_months) + 1
            ),
            0
        )
    ) as laps (lap)

),

-- A term that another took the place of long before its date has no renewal on it.
met as (

    select
        due.*,
        successors.mrr as successor_mrr,
        successors.renews_on - successors.started_on as successor_days
    from due
    left join terms as successors
        on
            due.account_id = successors.account_id
            and due.successor_subscription_id = successors.subscription_id
    where
        due.renewal_date <= {{ utc_day(present()) }} + {{ days_ahead }}
        and (due.lap = 0 or due.gone_on is null or due.renewal_date <= due.gone_on + {{ renewal_tolerance_days() }})
        and (
            due.successor_started_on is null
            or due.successor_started_on >= due.renewal_date - {{ renewal_tolerance_days() }}
        )

),

with_outcome as (

    select
        *,
        case
            -- Followed near this date, or near a later one of what renews by itself.
            when successor_started_on <= {{ utc_day(present()) }} then 'renewed'
            when moved_on <= {{ utc_day(present()) }} then 'renewed'
            when
                gone_on <= {{ utc_day(present()) }} and (gone_on <= renewal_date or renewal_type = 'manual')
                then 'lost'
            when renewal_date > {{ utc_day(present()) }} then 'open'
            when renewal_type = 'auto' then 'renewed'
            else 'open'
        end as outcome
    from met

),

outcomes as (

    select
        subscription_id,
        account_id,
        renewal_date,
        {{ month_of('renewal_date') }} as month,
        started_on,
        tier,
        cast(mrr as double precision) as mrr,
        renewal_type,
        outcome,
        -- What renews by itself went on by itself on the date, where it was followed only long after it.
        case
            when outcome = 'lost' then gone_on
            when
                outcome = 'renewed'
                and renewal_type = 'auto'
                and coalesce(successor_started_on, moved_on, 'infinity')
                > renewal_date + {{ renewal_tolerance_days() }}
                then renewal_date
            when outcome = 'renewed' then coalesce(successor_started_on, moved_on)
        end as decided_on,
        successor_known_on,
        gone_on,
        -- What was followed long after the date went on by itself on it.
        outcome = 'renewed'
        and (
            coalesce(successor_started_on, moved_on, renewal_date) <= renewal_date
            or coalesce(successor_started_on > renewal_date + {{ renewal_tolerance_days() }}, false)
        ) as is_on_time,
        case when outcome = 'renewed' then cast(coalesce(successor_mrr, mrr) as double precision) end as mrr_after,
        case when outcome = 'renewed' then coalesce(successor_days >= 700, false) end as is_multi_year
    from with_outcome

),

with_settled_on as (

    select
        *,
        -- A successor that comes within the tolerance undoes a loss.
        case
            when outcome = 'lost' then greatest(decided_on, renewal_date) + {{ renewal_tolerance_days() }}
            when outcome = 'renewed' then greatest(decided_on, renewal_date + {{ renewal_tolerance_days() }})
        end as settled_on
    from outcomes

)

select * from with_settled_on
