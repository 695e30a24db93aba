with

-- The next renewal of each account, where it is near.
renewals as (

    select distinct on (moments.as_of, renewals.account_id)
        moments.as_of,
        renewals.account_id,
        renewals.renewal_date,
        renewals.mrr,
        parameters.days
    from {{ moments() }} as moments
    inner join {{ ref('int_renewal_dates') }} as renewals on {{ renewal_is_ahead('renewals', 'moments.as_of') }}
    inner join {{ ref('stg_accounts') }} as accounts on renewals.account_id = accounts.account_id
    inner join {{ alert_parameters('product_gap_before_renewal', {'days': 90}) }} as parameters
        on parameters.tier = coalesce(accounts.tier, '')
    where
        renewals.renewal_date - {{ utc_day('moments.as_of') }} <= parameters.days
        and {{ is_customer('accounts', 'moments.as_of') }}
    order by moments.as_of asc, renewals.account_id asc, renewals.renewal_date asc, renewals.subscription_id asc

)

select
    renewals.as_of,
    renewals.account_id,
    feedback.feedback_id as entity,
    cast(renewals.renewal_date - {{ utc_day('renewals.as_of') }} as double precision) as measured,
    renewals.days as held_against,
    jsonb_build_object(
        'kind', feedback.kind,
        'feature', feedback.feature,
        'words', left(feedback.body, 500),
        'renewal_date', renewals.renewal_date,
        'arr', 12 * renewals.mrr
    ) as facts
from renewals
inner join {{ ref('stg_feedback') }} as feedback
    on
        renewals.account_id = feedback.account_id
        and renewals.as_of >= feedback.created_at
        and renewals.as_of - interval '90 days' < feedback.created_at
where
    feedback.kind in ('feature_request', 'bug')
    and coalesce(feedback.resolved_at > renewals.as_of, true)
    and {{ was_known('feedback._loaded_at', 'feedback.created_at', 'renewals.as_of') }}
