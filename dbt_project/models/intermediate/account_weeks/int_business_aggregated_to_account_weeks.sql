{{ config(materialized='ephemeral', tags=['weekly']) }}

with

account_weeks as (

    select
        account_id,
        week,
        as_of_day,
        mrr,
        arr,
        renewal_date,
        renewal_type,
        is_renewal_overdue
    from {{ ref('int_account_weeks_spined') }}

),

days as (

    {{ days_of_weeks(365) }}

),

survey_answers as (

    select
        response_id,
        account_id,
        -- Nobody knows who gave an answer without a user: each such answer is a person of its own.
        coalesce('user ' || user_id, 'answer ' || response_id) as respondent,
        survey,
        {{ utc_day('responded_at') }} as responded_on,
        responded_at,
        known_from,
        cast(score as numeric) * 10 / cast(scale_max as numeric) as score
    from {{ ref('stg_survey_responses') }}
    where {{ of_accounts_in_scope('account_id') }}

),

nps_answers as (

    select
        survey_answers.account_id,
        days.week,
        survey_answers.score,
        row_number() over (
            partition by survey_answers.account_id, days.week, survey_answers.respondent
            order by survey_answers.responded_at desc, survey_answers.response_id desc
        ) as recency
    from survey_answers
    inner join days
        on
            survey_answers.responded_on = days.day
            and days.age <= 180
            and {{ is_known('survey_answers.known_from', 'days.as_of_day') }}
    where survey_answers.survey = 'nps'

),

nps as (

    select
        account_id,
        week,
        avg(score) filter (where recency = 1) as nps_response,
        cast(count(*) as double precision) as nps_responses_180d
    from nps_answers
    group by account_id, week

),

satisfaction_answers as{{ table_where_spread() }} (

    select
        account_id,
        survey,
        responded_on,
        known_from,
        score
    from survey_answers
    where survey in ('csat', 'ces')

    union all

    select
        account_id,
        'csat' as survey,
        {{ utc_day('resolved_at') }} as responded_on,
        {{ known_from('null', 'resolved_at') }} as known_from,
        cast(csat as numeric) * 10 / cast(csat_scale as numeric) as score
    from {{ ref('stg_tickets') }}
    where
        csat is not null
        and csat_scale is not null
        and {{ of_accounts_in_scope('account_id') }}

),

satisfaction as (

    select
        satisfaction_answers.account_id,
        days.week,
        avg(satisfaction_answers.score) filter (where satisfaction_answers.survey = 'csat') as csat_90d,
        avg(satisfaction_answers.score) filter (where satisfaction_answers.survey = 'ces') as ces_90d
    from satisfaction_answers
    inner join days
        on
            satisfaction_answers.responded_on = days.day
            and days.age <= 90
            and {{ is_known('satisfaction_answers.known_from', 'days.as_of_day') }}
    group by satisfaction_answers.account_id, days.week

),

value_delivered as (

    select
        value_log.account_id,
        days.week,
        cast(sum(cast(value_log.amount as numeric)) as double precision) as value_delivered_365d,
        cast(
            sum(cast(value_log.amount as numeric)) filter (where value_log.kind like '%saved' and days.age <= 30)
            as double precision
        ) as amount_saved_30d
    from {{ ref('stg_value_log') }} as value_log
    inner join days
        on
            value_log.recorded_on = days.day
            and {{ is_known('value_log.known_from', 'days.as_of_day') }}
    where {{ of_accounts_in_scope('value_log.account_id') }}
    group by value_log.account_id, days.week

),

orders as (

    select
        orders.account_id,
        days.week,
        cast(count(*) as double precision) as orders_7d
    from {{ ref('stg_orders') }} as orders
    inner join days
        on
            {{ utc_day('orders.created_at') }} = days.day
            and days.age <= 7
            and {{ is_known('orders.known_from', 'days.as_of_day') }}
    where {{ of_accounts_in_scope('orders.account_id') }}
    group by orders.account_id, days.week

),

mrr_before as{{ table_where_spread() }} (

    select
        account_weeks.account_id,
        account_weeks.week,
        sum(cast({{ recurring_mrr('terms') }} as numeric)) as mrr
    from account_weeks
    inner join {{ ref('int_subscription_terms') }} as terms
        on
            account_weeks.account_id = terms.account_id
            and {{ term_holds_at('(account_weeks.as_of_day - 90)') }}
    group by account_weeks.account_id, account_weeks.week

),

documents as (

    select
        invoice_id,
        account_id,
        issued_on,
        due_on,
        greatest(issued_on, due_on) as late_after,
        {{ utc_day('paid_at') }} as paid_on,
        cast(amount as numeric) as amount
    from {{ ref('stg_invoices') }}
    where {{ of_accounts_in_scope('account_id') }}

),

-- A credit note that was not paid out stands against what is owed.
credits as (

    select
        documents.account_id,
        standing.week,
        -sum(documents.amount) as credit
    from documents
    {{ weeks_while('documents.issued_on', 'documents.paid_on', 'standing') }}
    where documents.amount < 0
    group by documents.account_id, standing.week

),

unpaid as (

    select
        documents.invoice_id,
        documents.account_id,
        overdue.week,
        documents.amount,
        sum(documents.amount) over (
            partition by documents.account_id, overdue.week
            order by documents.late_after, documents.invoice_id
            rows between unbounded preceding and current row
        ) as owed_so_far
    from documents
    {{ weeks_while('documents.late_after', 'documents.paid_on', 'overdue') }}
    where
        documents.amount > 0
        and documents.late_after < {{ last_as_of_day() }}
        and (documents.paid_on is null or documents.paid_on >= {{ first_as_of_day() }})

),

-- Credits settle the oldest invoices first.
unpaid_after_credits as{{ table_where_spread() }} (

    select
        unpaid.invoice_id,
        unpaid.account_id,
        unpaid.week,
        greatest(least(unpaid.amount, unpaid.owed_so_far - coalesce(credits.credit, 0)), 0) as amount
    from unpaid
    left join credits on unpaid.account_id = credits.account_id and unpaid.week = credits.week

),

unpaid_invoices as (

    select
        account_id,
        week,
        cast(count(*) as double precision) as overdue_invoices,
        cast(sum(amount) as double precision) as overdue_amount
    from unpaid_after_credits
    where amount > 0
    group by account_id, week

),

-- Of what was to be paid: an invoice over nothing, and one that a credit settled, say nothing of how an account pays.
payments as (

    select
        documents.account_id,
        days.week,
        avg(case when documents.paid_on <= documents.due_on then 1 else 0 end) as paid_on_time_ratio_365d
    from documents
    inner join days on documents.due_on = days.day
    left join unpaid_after_credits
        on
            documents.account_id = unpaid_after_credits.account_id
            and documents.invoice_id = unpaid_after_credits.invoice_id
            and days.week = unpaid_after_credits.week
    where
        documents.amount > 0
        and (unpaid_after_credits.amount is null or unpaid_after_credits.amount > 0)
    group by documents.account_id, days.week

),

cancellation_requests as (

    select distinct
        requests.account_id,
        standing.week
    from {{ ref('stg_cancellation_requests') }} as requests
    {{ weeks_while(utc_day('requests.requested_at'), utc_day('requests.withdrawn_at'), 'standing') }}
    where {{ of_accounts_in_scope('requests.account_id') }}

),

complaints as (

    select
        account_id,
        {{ utc_day('created_at') }} as created_on,
        {{ utc_day('resolved_at') }} as resolved_on
    from {{ ref('stg_feedback') }}
    where
        kind = 'complaint'
        and {{ of_accounts_in_scope('account_id') }}

),

new_complaints as (

    select
        complaints.account_id,
        days.week,
        cast(count(*) as double precision) as feedback_complaints_90d
    from complaints
    inner join days
        on
            complaints.created_on = days.day
            and days.age <= 90
    group by complaints.account_id, days.week

),

open_complaints as (

    select
        complaints.account_id,
        open_weeks.week,
        cast(count(*) as double precision) as open_complaints
    from complaints
    {{ weeks_while('complaints.created_on', 'complaints.resolved_on', 'open_weeks') }}
    group by complaints.account_id, open_weeks.week

),

business as (

    select
        account_weeks.account_id,
        account_weeks.week,
        cast(account_weeks.renewal_date - account_weeks.as_of_day as double precision) as days_to_renewal,
        account_weeks.renewal_date,
        account_weeks.renewal_type,
        account_weeks.is_renewal_overdue,
        cast(nps.nps_response as double precision) as nps_response,
        case
            when {{ has_source('survey_responses') }} then coalesce(nps.nps_responses_180d, 0)
        end as nps_responses_180d,
        cast(satisfaction.csat_90d as double precision) as csat_90d,
        cast(satisfaction.ces_90d as double precision) as ces_90d,
        case
            when {{ has_source('value_log') }} then coalesce(value_delivered.value_delivered_365d, 0)
        end as value_delivered_365d,
        case
            when {{ has_source('value_log') }}
                then coalesce(value_delivered.value_delivered_365d, 0) / nullif(account_weeks.arr, 0)
        end as value_ratio,
        case
            when {{ has_source('value_log') }} then coalesce(value_delivered.amount_saved_30d, 0)
        end as amount_saved_30d,
        case
            when {{ has_source('orders') }} then coalesce(orders.orders_7d, 0)
        end as orders_7d,
        cast(account_weeks.mrr / nullif(mrr_before.mrr, 0) - 1 as double precision) as mrr_change_90d,
        case
            when {{ has_source('invoices') }} then coalesce(unpaid_invoices.overdue_invoices, 0)
        end as overdue_invoices,
        case
            when {{ has_source('invoices') }} then coalesce(unpaid_invoices.overdue_amount, 0)
        end as overdue_amount,
        cast(payments.paid_on_time_ratio_365d as double precision) as paid_on_time_ratio_365d,
        case
            when {{ has_source('cancellation_requests') }} then cancellation_requests.account_id is not null
        end as has_cancellation_request,
        case
            when {{ has_source('feedback') }} then coalesce(new_complaints.feedback_complaints_90d, 0)
        end as feedback_complaints_90d,
        case
            when {{ has_source('feedback') }} then coalesce(open_complaints.open_complaints, 0)
        end as open_complaints
    from account_weeks
    left join nps on account_weeks.account_id = nps.account_id and account_weeks.week = nps.week
    left join satisfaction
        on account_weeks.account_id = satisfaction.account_id and account_weeks.week = satisfaction.week
    left join value_delivered
        on account_weeks.account_id = value_delivered.account_id and account_weeks.week = value_delivered.week
    left join orders on account_weeks.account_id = orders.account_id and account_weeks.week = orders.week
    left join mrr_before
        on account_weeks.account_id = mrr_before.account_id and account_weeks.week = mrr_before.week
    left join unpaid_invoices
        on account_weeks.account_id = unpaid_invoices.account_id and account_weeks.week = unpaid_invoices.week
    left join payments
        on account_weeks.account_id = payments.account_id and account_weeks.week = payments.week
    left join cancellation_requests
        on
            account_weeks.account_id = cancellation_requests.account_id
            and account_weeks.week = cancellation_requests.week
    left join new_complaints
        on account_weeks.account_id = new_complaints.account_id and account_weeks.week = new_complaints.week
    left join open_complaints
        on account_weeks.account_id = open_complaints.account_id and account_weeks.week = open_complaints.week

)

select * from business
