{#
    As int_user_activity_to_date.
#}
with

rolled_up as (

    select * from {{ ref('int_feature_usage_daily') }}

),

newest_built as (

    select coalesce(max(newest_load_id), 0) as load_id
    from {{ ref('int_feature_usage_daily') }}

),

feature_events_since as (

    select
        *,
        {{ utc_day('occurred_at') }} as activity_date
    from {{ ref('stg_events') }}
    where
        feature is not null
        and _load_id > (select newest_built.load_id from newest_built)
        and (
            select max(loads.load_id)
            from cs.loads
            where loads.source_table = 'events'
        ) > (select newest_built.load_id from newest_built)

),

feature_days as (

    select
        activity_date,
        known_from,
        account_id,
        feature,
        uses
    from rolled_up

    union all

    select
        activity_date,
        known_from,
        account_id,
        feature,
        sum(quantity) as uses
    from feature_events_since
    group by activity_date, known_from, account_id, feature

),

with_first_day as (

    select
        *,
        case
            when known_from = {{ week_of('activity_date') }} + 7 then activity_date + 1 else known_from
        end as counts_from
    from feature_days

)

select * from with_first_day
