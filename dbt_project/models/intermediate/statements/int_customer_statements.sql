{#
    A view over five tables. Who asks for some days asks by said_at, which every part can answer.
#}
with

statements as (

    select
        account_id,
        'feedback' as said_in,
        feedback_id as source_id,
        kind,
        created_at as said_at,
        body as words,
        _loaded_at
    from {{ ref('stg_feedback') }}

    union all

    select
        account_id,
        'survey' as said_in,
        response_id as source_id,
        survey as kind,
        responded_at as said_at,
        comment as words,
        _loaded_at
    from {{ ref('stg_survey_responses') }}

    union all

    select
        account_id,
        'ticket' as said_in,
        ticket_id as source_id,
        priority as kind,
        created_at as said_at,
        subject as words,
        _loaded_at
    from {{ ref('stg_tickets') }}

    union all

    select
        account_id,
        'cancellation' as said_in,
        request_id as source_id,
        'cancellation_request' as kind,
        requested_at as said_at,
        reason as words,
        _loaded_at
    from {{ ref('stg_cancellation_requests') }}

    union all

    select
        account_id,
        'sales_goal' as said_in,
        account_id as source_id,
        'goal' as kind,
        created_at as said_at,
        sales_goal as words,
        _loaded_at
    from {{ ref('stg_accounts') }}

)

select * from statements
where words is not null
