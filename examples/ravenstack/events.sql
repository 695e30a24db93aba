-- Usage belongs to a subscription; its account is looked up, its user is unknown. Only days are known: noon UTC.
-- Usage before the sign-up or outside the subscription is kept: it happened. A day with usage is also a day with a
-- login, which the data do not record. Usage of a subscription that is not there would have no account, and be put aside.
with usage as (
    select
        feature_usage.*,
        subscriptions.account_id,
        (to_date(feature_usage.usage_date, 'DD-MM-YYYY') + time '12:00') at time zone 'UTC' as occurred_at
    from landing.ravenstack_feature_usage as feature_usage
    left join landing.ravenstack_subscriptions as subscriptions using (subscription_id)
)

select
    usage_id as event_id,
    account_id,
    null as user_id,
    occurred_at,
    'feature_use' as event_name,
    feature_name as feature,
    usage_count::double precision as quantity,
    usage_duration_secs::double precision as duration_seconds
from usage
union all
select distinct
    format('login-%s-%s', account_id, occurred_at::date),
    account_id,
    null,
    occurred_at,
    'login',
    null,
    1::double precision,
    null::double precision
from usage
where account_id is not null
