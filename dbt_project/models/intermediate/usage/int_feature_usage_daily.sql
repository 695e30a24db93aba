{{
    config(
        materialized='incremental',
        incremental_strategy='replace_account_days',
        unique_key='activity_date',
        on_schema_change='fail',
        pre_hook='{{ join_by_hash() }}',
        indexes=[
            {'columns': ['activity_date']},
            {'columns': ['account_id', 'activity_date']},
            {'columns': ['newest_load_id']},
        ],
        post_hook='analyze {{ this }} (account_id, activity_date, newest_load_id)'
    )
}}

{%- set touched = touched_days() %}

with

{{ touched_accounts(touched, 'activity_date') -}}
feature_events as (

    select *
    from {{ events_of(touched, 'activity_date') }}
    where feature is not null

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
    group by activity_date, known_from, account_id, feature

)

select * from feature_days
{{ and_touched_accounts(touched, 'activity_date') }}
{% if touched is none %}
-- Whole weeks are read from here on: rows of a day scattered over all history would make each read all of its pages.
order by activity_date
{% endif %}
