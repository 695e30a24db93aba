{#
    One statement builds any range of weeks. The rows it answers for are replaced: see macros/replace_weeks.sql. A full
    refresh would keep only the weeks of the run, so there is none; a new column is missing in weeks not built again.

    The pre-hooks hold for this transaction only. The parts meet as intermediate results that have no statistics, and
    a planner that takes one for a single row loops over weeks times accounts squared, or merges and sorts by the week
    alone. Hashing uses the whole key and is right at every size. Compiling the statement to machine code takes longer
    than running it.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='replace_weeks',
        on_schema_change='append_new_columns',
        full_refresh=false,
        indexes=[
            {'columns': ['week', 'account_id'], 'unique': true},
            {'columns': ['account_id', 'week']},
        ],
        pre_hook=[
            'set local enable_nestloop = off',
            'set local enable_mergejoin = off',
            'set local enable_sort = off',
            'set local jit = off',
            "select set_config('work_mem', greatest(setting::integer, 65536) || 'kB', true)
            from pg_settings where name = 'work_mem'",
        ],
        post_hook='{{ analyze_grown() }}',
        tags=['weekly'],
    )
}}

with

account_weeks as (

    select * from {{ ref('int_account_weeks_spined') }}

),

usage as (

    select * from {{ ref('int_usage_aggregated_to_account_weeks') }}

),

features as (

    select * from {{ ref('int_features_aggregated_to_account_weeks') }}

),

engagement as (

    select * from {{ ref('int_engagement_aggregated_to_account_weeks') }}

),

business as (

    select * from {{ ref('int_business_aggregated_to_account_weeks') }}

),

support as (

    select * from {{ ref('int_tickets_aggregated_to_account_weeks') }}

),

every_metric as (

    select
        account_weeks.account_id,
        account_weeks.week,
        account_weeks.as_of,
        account_weeks.account_name,
        account_weeks.tier,
        account_weeks.plan,
        account_weeks.industry,
        account_weeks.country,
        account_weeks.timezone,
        account_weeks.owner_email,
        account_weeks.parent_account_id,
        account_weeks.cohort_month,
        account_weeks.created_at,
        account_weeks.tenure_days,
        account_weeks.mrr,
        account_weeks.arr,
        account_weeks.seats,
        account_weeks.is_trial,
        account_weeks.is_bad_fit,
        account_weeks.lifecycle_stage,
        account_weeks.lifecycle_stage_five,
        cast(usage.active_users_7d as double precision) as active_users_7d,
        cast(usage.active_users_30d as double precision) as active_users_30d,
        cast(usage.users_total as double precision) as users_total,
        cast(usage.seat_utilisation as double precision) as seat_utilisation,
        cast(features.core_features_used as double precision) as core_features_used,
        cast(features.features_used_30d as double precision) as features_used_30d,
        cast(features.features_available as double precision) as features_available,
        cast(features.feature_adoption_ratio as double precision) as feature_adoption_ratio,
        features.top_unused_core_feature,
        cast(usage.login_days_30d as double precision) as login_days_30d,
        cast(usage.login_frequency as double precision) as login_frequency,
        cast(usage.logins_7d as double precision) as logins_7d,
        cast(usage.logged_in_7d as double precision) as logged_in_7d,
        cast(usage.days_since_last_login as double precision) as days_since_last_login,
        cast(usage.days_since_last_use as double precision) as days_since_last_use,
        cast(usage.events_7d as double precision) as events_7d,
        cast(usage.events_30d as double precision) as events_30d,
        cast(usage.events_previous_30d as double precision) as events_previous_30d,
        cast(usage.events_30d as double precision) / nullif(account_weeks.seats, 0) as events_per_seat_30d,
        cast(usage.usage_growth as double precision) as usage_growth,
        cast(usage.api_calls_30d as double precision) as api_calls_30d,
        cast(usage.campaigns_sent_30d as double precision) as campaigns_sent_30d,
        cast(usage.active_automations as double precision) as active_automations,
        cast(usage.minutes_7d as double precision) as minutes_7d,
        cast(usage.minutes_30d as double precision) as minutes_30d,
        usage.power_user_id,
        cast(engagement.emails_sent_90d as double precision) as emails_sent_90d,
        cast(engagement.opened_last_3_emails as double precision) as opened_last_3_emails,
        cast(engagement.email_open_rate_90d as double precision) as email_open_rate_90d,
        cast(engagement.email_click_rate_90d as double precision) as email_click_rate_90d,
        cast(engagement.email_reply_rate_90d as double precision) as email_reply_rate_90d,
        cast(engagement.attended_training_ever as double precision) as attended_training_ever,
        cast(engagement.attended_training_90d as double precision) as attended_training_90d,
        cast(engagement.trainings_attended_90d as double precision) as trainings_attended_90d,
        cast(engagement.feature_requests_90d as double precision) as feature_requests_90d,
        cast(usage.community_posts_90d as double precision) as community_posts_90d,
        cast(engagement.days_since_last_touchpoint as double precision) as days_since_last_touchpoint,
        cast(engagement.days_since_last_qbr as double precision) as days_since_last_qbr,
        cast(engagement.missed_meetings_90d as double precision) as missed_meetings_90d,
        cast(business.days_to_renewal as double precision) as days_to_renewal,
        business.renewal_date,
        business.renewal_type,
        business.is_renewal_overdue,
        cast(business.nps_response as double precision) as nps_response,
        cast(business.nps_responses_180d as double precision) as nps_responses_180d,
        cast(business.csat_90d as double precision) as csat_90d,
        cast(business.ces_90d as double precision) as ces_90d,
        cast(business.value_delivered_365d as double precision) as value_delivered_365d,
        cast(business.value_ratio as double precision) as value_ratio,
        cast(business.mrr_change_90d as double precision) as mrr_change_90d,
        cast(business.overdue_invoices as double precision) as overdue_invoices,
        cast(business.overdue_amount as double precision) as overdue_amount,
        cast(business.paid_on_time_ratio_365d as double precision) as paid_on_time_ratio_365d,
        business.has_cancellation_request,
        cast(business.feedback_complaints_90d as double precision) as feedback_complaints_90d,
        cast(business.open_complaints as double precision) as open_complaints,
        cast(support.open_tickets as double precision) as open_tickets,
        cast(support.open_critical_tickets as double precision) as open_critical_tickets,
        cast(support.open_noncritical_tickets as double precision) as open_noncritical_tickets,
        cast(support.worst_open_ticket as double precision) as worst_open_ticket,
        cast(support.tickets_7d as double precision) as tickets_7d,
        cast(support.tickets_30d as double precision) as tickets_30d,
        cast(support.tickets_previous_30d as double precision) as tickets_previous_30d,
        cast(support.ticket_spike_ratio as double precision) as ticket_spike_ratio,
        cast(support.first_response_hours_30d as double precision) as first_response_hours_30d,
        cast(engagement.onboarding_steps_completed as double precision) as onboarding_steps_completed,
        cast(engagement.onboarding_steps_total as double precision) as onboarding_steps_total,
        cast(engagement.hours_to_first_value as double precision) as hours_to_first_value,
        engagement.next_onboarding_step
    from account_weeks
    left join usage
        on account_weeks.account_id = usage.account_id and account_weeks.week = usage.week
    left join features
        on account_weeks.account_id = features.account_id and account_weeks.week = features.week
    left join engagement
        on account_weeks.account_id = engagement.account_id and account_weeks.week = engagement.week
    left join business
        on account_weeks.account_id = business.account_id and account_weeks.week = business.week
    left join support
        on account_weeks.account_id = support.account_id and account_weeks.week = support.week

)

select * from every_metric
