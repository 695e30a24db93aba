select
    moments.as_of,
    requests.account_id,
    'request:' || requests.request_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('reason', left(requests.reason, 500), 'on', {{ utc_day('requests.requested_at') }}) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_cancellation_requests') }} as requests
    on {{ is_news('requests.requested_at', 'moments.as_of') }}
where
    coalesce(requests.withdrawn_at > moments.as_of, true)
    and {{ was_known('requests._loaded_at', 'requests.requested_at', 'moments.as_of') }}

union all

-- Without a word: a base period ended, and nothing of the account holds on that day or began since.
select
    moments.as_of,
    ended.account_id,
    'subscription:' || ended.subscription_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('reason', null, 'on', ended.ended_on) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_subscriptions') }} as ended
    on {{ is_news_of_day('ended.ended_on', 'moments.as_of') }}
where
    not ended.is_addon
    and not ended.is_trial
    and coalesce(ended.renews_on != ended.ended_on, true)
    and not exists (
        select 1
        from {{ ref('stg_subscriptions') }} as others
        where
            others.account_id = ended.account_id
            and others.subscription_id != ended.subscription_id
            and not others.is_addon
            and others.started_on <= {{ utc_day('moments.as_of') }}
            and coalesce(others.ended_on > ended.ended_on, true)
            and {{ was_known('others._loaded_at', utc_midnight('others.started_on'), 'moments.as_of') }}
    )
