{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unique_key='activity_date',
        on_schema_change='fail',
        indexes=[
            {'columns': ['activity_date']},
            {'columns': ['account_id', 'activity_date']},
            {'columns': ['newest_load_id']},
        ],
        post_hook='analyze {{ this }}'
    )
}}

{%- set touched = touched_days() %}

with

feature_events as (

    select
        *,
        {{ utc_day('occurred_at') }} as activity_date
    from {{ ref('stg_events') }}
    where
        feature is not null
        and {{ events_of(touched) }}

),

feature_days as (

    select
        account_id,
        feature,
        activity_date,
        known_from,
        sum(quantity) as uses,
        max(_load_id) as newest_load_id
    from feature_events
    -- The day first: events come nearly in that order, and the rows of a window then lie together.
    group by activity_date, known_from, account_id, feature

)

select * from feature_days
{{ and_emptied_days(touched, 'activity_date') }}
