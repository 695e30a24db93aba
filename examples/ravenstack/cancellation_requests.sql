-- Every churn event is a request to cancel, whatever the account's flag says. A customer that subscribes again
-- afterwards has withdrawn it.
with churn_events as (
    select *, to_date(churn_date, 'DD-MM-YYYY') as churned_on
    from landing.ravenstack_churn_events
),

returns as (
    select
        churn_events.churn_event_id,
        min(to_date(subscriptions.start_date, 'DD-MM-YYYY')) as returned_on
    from churn_events
    inner join landing.ravenstack_subscriptions as subscriptions using (account_id)
    where to_date(subscriptions.start_date, 'DD-MM-YYYY') > churn_events.churned_on
    group by churn_events.churn_event_id
)

select
    churn_event_id as request_id,
    account_id,
    churned_on::timestamptz as requested_at,
    returns.returned_on::timestamptz as withdrawn_at,
    concat_ws(': ', reason_code, feedback_text) as reason
from churn_events
left join returns using (churn_event_id)
