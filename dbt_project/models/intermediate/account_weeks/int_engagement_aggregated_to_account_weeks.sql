{{ config(materialized='ephemeral', tags=['weekly']) }}

with

account_weeks as (

    select
        account_id,
        week,
        created_at,
        tenure_days
    from {{ ref('int_account_weeks_spined') }}

),

days as (

    {{ days_of_weeks(365) }}

),

-- Accounts with three messages in the 90 days before the first week ends: older ones are not among the last three of
-- any week, and are not read.
often_mailed_accounts as{{ table_where_spread() }} (

    select account_id
    from {{ ref('stg_email_events') }}
    where
        event = 'sent'
        and occurred_at >= {{ utc_midnight(first_as_of_day() ~ ' - 90') }}
        and occurred_at < {{ utc_midnight(first_as_of_day()) }}
        and {{ is_known('known_from', first_as_of_day()) }}
    group by account_id
    having count(distinct message_id) >= 3

),

email_events as (

    select
        mails.account_id,
        mails.message_id,
        mails.event,
        mails.occurred_at,
        {{ counts_from(utc_day('mails.occurred_at'), 'mails.known_from') }} as counts_from
    from {{ ref('stg_email_events') }} as mails
    where
        mails.event in ('sent', 'open', 'click', 'reply')
        and (
            mails.occurred_at >= {{ utc_midnight(first_as_of_day() ~ ' - 90') }}
            or
            {% if execute and is_spread() -%}
            not exists (
                select 1
                from often_mailed_accounts
                where often_mailed_accounts.account_id = mails.account_id
            )
            {%- else -%}
            mails.account_id not in (select often_mailed_accounts.account_id from often_mailed_accounts)
            {%- endif %}
        )
        and mails.occurred_at < {{ utc_midnight(last_as_of_day()) }}
        and {{ of_accounts_in_scope('mails.account_id') }}

),

messages as (

    select
        account_id,
        message_id,
        min(occurred_at) filter (where event = 'sent') as sent_at,
        min(counts_from) filter (where event = 'sent') as sent_from,
        min(counts_from) filter (where event = 'open') as opened_from,
        min(counts_from) filter (where event = 'click') as clicked_from,
        min(counts_from) filter (where event = 'reply') as replied_from
    from email_events
    where counts_from <= {{ last_as_of_day() }}
    group by account_id, message_id
    having bool_or(event = 'sent')

),

emails as (

    select
        messages.account_id,
        days.week,
        cast(count(*) as double precision) as emails_sent_90d,
        count(*) filter (where messages.opened_from <= days.as_of_day) as emails_opened,
        count(*) filter (where messages.clicked_from <= days.as_of_day) as emails_clicked,
        count(*) filter (where messages.replied_from <= days.as_of_day) as emails_replied
    from messages
    inner join days
        on
            {{ utc_day('messages.sent_at') }} = days.day
            and days.age <= 90
            and messages.sent_from <= days.as_of_day
    group by messages.account_id, days.week

),

-- A message can be among the last three only until the next three count as well.
messages_in_order as (

    select
        account_id,
        message_id,
        sent_at,
        sent_from,
        opened_from,
        case when count(*) over next_three = 3 then max(sent_from) over next_three end as displaced_from
    from messages
    window next_three as (
        partition by account_id
        order by sent_at, message_id
        rows between 1 following and 3 following
    )

),

latest_messages as (

    select
        messages_in_order.account_id,
        counted.week,
        messages_in_order.opened_from <= counted.week + 7 as is_opened,
        row_number() over (
            partition by messages_in_order.account_id, counted.week
            order by messages_in_order.sent_at desc, messages_in_order.message_id desc
        ) as recency
    from messages_in_order
    {{ weeks_while('messages_in_order.sent_from - 7', 'messages_in_order.displaced_from - 7', 'counted') }}

),

last_three_emails as (

    select
        account_id,
        week,
        cast(
            case
                when count(*) = 3 then case when bool_and(coalesce(is_opened, false)) then 1 else 0 end
            end as double precision
        ) as opened_last_3_emails
    from latest_messages
    where recency <= 3
    group by account_id, week

),

trainings as (

    select
        account_id,
        {{ utc_day('occurred_at') }} as attended_on,
        {{ counts_from(utc_day('occurred_at'), 'known_from') }} as counts_from
    from {{ ref('stg_event_attendance') }}
    where
        kind in ('training', 'webinar')
        and has_attended
        and {{ of_accounts_in_scope('account_id') }}

),

first_trainings as (

    select
        account_id,
        min(counts_from) as counts_from
    from trainings
    group by account_id

),

recent_trainings as (

    select
        trainings.account_id,
        days.week,
        cast(count(*) as double precision) as trainings_attended_90d
    from trainings
    inner join days
        on
            trainings.attended_on = days.day
            and days.age <= 90
            and trainings.counts_from <= days.as_of_day
    group by trainings.account_id, days.week

),

feature_requests as (

    select
        feedback.account_id,
        days.week,
        cast(count(*) as double precision) as feature_requests_90d
    from {{ ref('stg_feedback') }} as feedback
    inner join days
        on
            {{ utc_day('feedback.created_at') }} = days.day
            and days.age <= 90
    where
        feedback.kind = 'feature_request'
        and {{ of_accounts_in_scope('feedback.account_id') }}
    group by feedback.account_id, days.week

),

touchpoints as (

    select
        account_id,
        kind,
        {{ utc_day('held_at') }} as held_on,
        {{ utc_day('scheduled_at') }} as scheduled_on,
        is_missed
    from {{ ref('stg_touchpoints') }}
    where {{ of_accounts_in_scope('account_id') }}

),

touches as (

    select
        touchpoints.account_id,
        days.week,
        cast(min(days.age) - 1 as double precision) as days_since_last_touchpoint,
        cast(
            min(days.age) filter (where touchpoints.kind in ('qbr', 'ebr')) - 1 as double precision
        ) as days_since_last_qbr
    from touchpoints
    inner join days on touchpoints.held_on = days.day
    where not touchpoints.is_missed
    group by touchpoints.account_id, days.week

),

missed_meetings as (

    select
        touchpoints.account_id,
        days.week,
        cast(count(*) as double precision) as missed_meetings_90d
    from touchpoints
    inner join days
        on
            touchpoints.scheduled_on = days.day
            and days.age <= 90
    where touchpoints.is_missed
    group by touchpoints.account_id, days.week

),

onboarding_steps as (

    select
        account_id,
        step,
        position,
        is_aha,
        completed_at,
        {{ utc_day('completed_at') }} as completed_on
    from {{ ref('stg_onboarding_progress') }}
    where {{ of_accounts_in_scope('account_id') }}

),

onboarding as (

    select
        account_weeks.account_id,
        account_weeks.week,
        cast(count(*) as double precision) as onboarding_steps_total,
        cast(
            count(*) filter (where onboarding_steps.completed_on <= account_weeks.week + 6) as double precision
        ) as onboarding_steps_completed,
        min(greatest(onboarding_steps.completed_at, account_weeks.created_at) - account_weeks.created_at) filter (
            where
            onboarding_steps.is_aha
            and onboarding_steps.completed_on <= account_weeks.week + 6
        ) as time_to_first_value,
        (
            array_agg(onboarding_steps.step order by onboarding_steps.position, onboarding_steps.step) filter (
                where
                onboarding_steps.completed_on is null
                or onboarding_steps.completed_on > account_weeks.week + 6
            )
        )[1] as next_onboarding_step
    from account_weeks
    inner join onboarding_steps on account_weeks.account_id = onboarding_steps.account_id
    group by account_weeks.account_id, account_weeks.week

),

engagement as (

    select
        account_weeks.account_id,
        account_weeks.week,
        case when {{ has_source('email_events') }} then coalesce(emails.emails_sent_90d, 0) end as emails_sent_90d,
        last_three_emails.opened_last_3_emails,
        emails.emails_opened / emails.emails_sent_90d as email_open_rate_90d,
        emails.emails_clicked / emails.emails_sent_90d as email_click_rate_90d,
        emails.emails_replied / emails.emails_sent_90d as email_reply_rate_90d,
        cast(
            case
                when {{ has_source('event_attendance') }}
                    then case when first_trainings.counts_from <= account_weeks.week + 7 then 1 else 0 end
            end as double precision
        ) as attended_training_ever,
        case
            when {{ has_source('event_attendance') }}
                then cast(case when recent_trainings.trainings_attended_90d > 0 then 1 else 0 end as double precision)
        end as attended_training_90d,
        case
            when {{ has_source('event_attendance') }} then coalesce(recent_trainings.trainings_attended_90d, 0)
        end as trainings_attended_90d,
        case
            when {{ has_source('feedback') }} then coalesce(feature_requests.feature_requests_90d, 0)
        end as feature_requests_90d,
        case
            when {{ has_source('touchpoints') }}
                then coalesce(touches.days_since_last_touchpoint, least(account_weeks.tenure_days - 1, 365))
        end as days_since_last_touchpoint,
        case
            when {{ has_source('touchpoints') }}
                then coalesce(touches.days_since_last_qbr, least(account_weeks.tenure_days - 1, 365))
        end as days_since_last_qbr,
        case
            when {{ has_source('touchpoints') }} then coalesce(missed_meetings.missed_meetings_90d, 0)
        end as missed_meetings_90d,
        case
            when {{ has_source('onboarding_progress') }} then coalesce(onboarding.onboarding_steps_completed, 0)
        end as onboarding_steps_completed,
        case
            when {{ has_source('onboarding_progress') }} then coalesce(onboarding.onboarding_steps_total, 0)
        end as onboarding_steps_total,
        cast(extract(epoch from onboarding.time_to_first_value) as double precision) / 3600 as hours_to_first_value,
        onboarding.next_onboarding_step
    from account_weeks
    left join emails
        on account_weeks.account_id = emails.account_id and account_weeks.week = emails.week
    left join last_three_emails
        on account_weeks.account_id = last_three_emails.account_id and account_weeks.week = last_three_emails.week
    left join first_trainings on account_weeks.account_id = first_trainings.account_id
    left join recent_trainings
        on account_weeks.account_id = recent_trainings.account_id and account_weeks.week = recent_trainings.week
    left join feature_requests
        on account_weeks.account_id = feature_requests.account_id and account_weeks.week = feature_requests.week
    left join touches
        on account_weeks.account_id = touches.account_id and account_weeks.week = touches.week
    left join missed_meetings
        on account_weeks.account_id = missed_meetings.account_id and account_weeks.week = missed_meetings.week
    left join onboarding
        on account_weeks.account_id = onboarding.account_id and account_weeks.week = onboarding.week

)

select * from engagement
