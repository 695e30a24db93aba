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
        post_hook=[
            """{{ partial_index(
                ['account_id', 'activity_date'], 'automations_created > 0 or automations_deactivated > 0'
            ) }}""",
            'analyze {{ this }} (account_id, activity_date, newest_load_id)',
        ]
    )
}}

{%- set touched = touched_days() %}

with

{{ touched_accounts(touched, 'activity_date') -}}
events as (

    select *
    from {{ events_of(touched, 'activity_date') }}

),

user_days as (

    select
        account_id,
        coalesce(user_id, '') as user_id,
        activity_date,
        known_from,
        sum(quantity) as events,
        coalesce(sum(quantity) filter (where event_name = 'login'), 0) as logins,
        coalesce(sum(quantity) filter (where event_name = 'api_call'), 0) as api_calls,
        coalesce(sum(quantity) filter (where event_name = 'page_view'), 0) as page_views,
        coalesce(sum(quantity) filter (where event_name = 'doc_view'), 0) as doc_views,
        coalesce(sum(quantity) filter (where event_name = 'campaign_sent'), 0) as campaigns_sent,
        coalesce(sum(quantity) filter (where event_name = 'community_post'), 0) as community_posts,
        coalesce(sum(quantity) filter (where event_name = 'automation_created'), 0) as automations_created,
        coalesce(sum(quantity) filter (where event_name = 'automation_deactivated'), 0) as automations_deactivated,
        coalesce(sum(quantity) filter (where event_name = 'page_view' and page = 'error'), 0) as error_page_views,
        coalesce(sum(quantity) filter (where event_name = 'page_view' and page = 'pricing'), 0) as pricing_page_views,
        coalesce(sum(quantity) filter (where event_name = 'click' and page = 'upgrade'), 0) as upgrade_clicks,
        coalesce(sum(duration_seconds), 0) as duration_seconds,
        max(_load_id) as newest_load_id
    from events
    group by activity_date, known_from, account_id, coalesce(user_id, '')

)

select * from user_days
{{ and_touched_accounts(touched, 'activity_date') }}
{% if touched is none %}
-- Whole weeks are read from here on: rows of a day scattered over all history would make each read all of its pages.
order by activity_date
{% endif %}
