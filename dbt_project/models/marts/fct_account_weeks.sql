{#
    One statement builds any range of weeks. The rows it answers for are replaced: see macros/replace_weeks.sql. A full
    refresh would keep only the weeks of the run, so there is none; a new column is missing in weeks not built again.

    The pre-hooks hold for this transaction only. The parts meet as intermediate results that have no statistics but for
    the first (macros/analyzed_parts.sql), and a planner that takes one for a single row loops over weeks times accounts
    squared, or merges and sorts by the week alone. Hashing uses the whole key and is right at every size. Compiling the
    statement to machine code takes longer than running it.
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
        post_hook="{{ analyze_grown(['week', 'account_id']) }}",
        meta={'analyzed_parts': ['int_account_weeks_spined']},
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
        usage.active_users_7d,
        usage.active_users_30d,
        usage.users_total,
        usage.seat_utilisation,
        features.core_features_used,
        features.features_used_30d,
        features.features_available,
        features.feature_adoption_ratio,
        features.top_unused_core_feature,
        usage.login_days_30d,
        usage.login_frequency,
        usage.logins_7d,
        usage.logged_in_7d,
        usage.days_since_last_login,
        usage.days_since_last_use,
        usage.events_7d,
        usage.events_30d,
        usage.events_previous_30d,
        usage.events_per_seat_30d,
        usage.usage_growth,
        usage.api_calls_30d,
        usage.campaigns_sent_30d,
        usage.active_automations,
        usage.minutes_7d,
        usage.minutes_30d,
        usage.power_user_id,
        engagement.emails_sent_90d,
        engagement.opened_last_3_emails,
        engagement.email_open_rate_90d,
        engagement.email_click_rate_90d,
        engagement.email_reply_rate_90d,
        engagement.attended_training_ever,
        engagement.attended_training_90d,
        engagement.trainings_attended_90d,
        engagement.feature_requests_90d,
        usage.community_posts_90d,
        engagement.days_since_last_touchpoint,
        engagement.days_since_last_qbr,
        engagement.missed_meetings_90d,
        business.days_to_renewal,
        business.renewal_date,
        business.renewal_type,
        business.is_renewal_overdue,
        business.nps_response,
        business.nps_responses_180d,
        business.csat_90d,
        business.ces_90d,
        business.value_delivered_365d,
        business.value_ratio,
        business.amount_saved_30d,
        business.orders_7d,
        business.mrr_change_90d,
        business.overdue_invoices,
        business.overdue_amount,
        business.paid_on_time_ratio_365d,
        business.has_cancellation_request,
        business.feedback_complaints_90d,
        business.open_complaints,
        support.open_tickets,
        support.open_critical_tickets,
        support.open_noncritical_tickets,
        support.worst_open_ticket,
        support.tickets_7d,
        support.tickets_30d,
        support.tickets_previous_30d,
        support.ticket_spike_ratio,
        support.first_response_hours_30d,
        engagement.onboarding_steps_completed,
        engagement.onboarding_steps_total,
        engagement.hours_to_first_value,
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
