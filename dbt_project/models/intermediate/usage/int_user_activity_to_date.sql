{#
    The roll-up, and beside it what was loaded since it was built: a view, so that rules which are asked between two
    builds see what there is. Loads are asked for as an array, which the block-range index on _load_id can read.
#}
with

rolled_up as (

    select * from {{ ref('int_user_activity_daily') }}

),

newest_built as (

    select coalesce(max(newest_load_id), 0) as load_id
    from {{ ref('int_user_activity_daily') }}

),

events_since as (

    select
        *,
        {{ utc_day('occurred_at') }} as activity_date
    from {{ ref('stg_events') }}
    where
        _load_id > (select newest_built.load_id from newest_built)
        and (
            select max(loads.load_id)
            from cs.loads
            where loads.source_table = 'events'
        ) > (select newest_built.load_id from newest_built)

),

{%- set counted = {
    'logins': "event_name = 'login'",
    'api_calls': "event_name = 'api_call'",
    'doc_views': "event_name = 'doc_view'",
    'campaigns_sent': "event_name = 'campaign_sent'",
    'community_posts': "event_name = 'community_post'",
    'automations_deactivated': "event_name = 'automation_deactivated'",
} %}

user_days as (

    select
        activity_date,
        known_from,
        account_id,
        user_id,
        events,
        {%- for name in counted %}
        {{ name }},
        {%- endfor %}
        duration_seconds
    from rolled_up

    union all

    select
        activity_date,
        known_from,
        account_id,
        coalesce(user_id, '') as user_id,
        sum(quantity) as events,
        {%- for name, condition in counted.items() %}
        coalesce(sum(quantity) filter (where {{ condition }}), 0) as {{ name }},
        {%- endfor %}
        coalesce(sum(duration_seconds), 0) as duration_seconds
    from events_since
    group by activity_date, known_from, account_id, coalesce(user_id, '')

),

-- What arrived in its own week counts from the next day on, what came later from the Monday after it came.
with_first_day as (

    select
        *,
        case
            when known_from = {{ week_of('activity_date') }} + 7 then activity_date + 1 else known_from
        end as counts_from
    from user_days

)

select * from with_first_day
