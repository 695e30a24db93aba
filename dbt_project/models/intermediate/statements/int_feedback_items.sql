{#
    A view over four tables, for who asks about what was said lately: every part can answer that by said_at.
#}
with

items as (

    select
        'feedback' as said_in,
        feedback_id as source_id,
        account_id,
        kind,
        question,
        feature,
        asked_by,
        cast(null as double precision) as score_share,
        created_at as said_at,
        resolved_at as settled_at,
        body as words,
        _loaded_at
    from {{ ref('stg_feedback') }}

    union all

    select
        'survey' as said_in,
        response_id as source_id,
        account_id,
        cast(null as text) as kind,
        cast(null as text) as question,
        cast(null as text) as feature,
        asked_by,
        score / nullif(scale_max, 0) as score_share,
        responded_at as said_at,
        cast(null as timestamptz) as settled_at,
        comment as words,
        _loaded_at
    from {{ ref('stg_survey_responses') }}

    union all

    select
        'ticket' as said_in,
        ticket_id as source_id,
        account_id,
        cast(null as text) as kind,
        cast(null as text) as question,
        cast(null as text) as feature,
        cast(null as text) as asked_by,
        csat / nullif(csat_scale, 0) as score_share,
        created_at as said_at,
        resolved_at as settled_at,
        subject as words,
        _loaded_at
    from {{ ref('stg_tickets') }}

    union all

    select
        'cancellation' as said_in,
        request_id as source_id,
        account_id,
        cast(null as text) as kind,
        'reason_for_leaving' as question,
        cast(null as text) as feature,
        cast(null as text) as asked_by,
        cast(null as double precision) as score_share,
        requested_at as said_at,
        withdrawn_at as settled_at,
        reason as words,
        _loaded_at
    from {{ ref('stg_cancellation_requests') }}

)

select
    said_in,
    source_id,
    account_id,
    coalesce(kind, 'untagged') as kind,
    question,
    feature,
    asked_by,
    score_share,
    said_at,
    settled_at,
    words,
    coalesce(_loaded_at, said_at) as arrived_at
from items
where words != '' or kind is not null
