-- The words that came with a churn event. Events without words are no feedback; they are in cancellation_requests.
select
    churn_event_id as feedback_id,
    account_id,
    case feedback_text
        when 'too expensive' then 'price_objection'
        when 'switched to competitor' then 'competitor_mention'
        when 'missing features' then 'feature_request'
        else 'other'
    end as kind,
    to_date(churn_date, 'DD-MM-YYYY')::timestamptz as created_at,
    feedback_text as body
from landing.ravenstack_churn_events
where feedback_text is not null
