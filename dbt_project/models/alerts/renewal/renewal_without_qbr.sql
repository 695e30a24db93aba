with

-- The next renewal of each account.
renewals as (

    select distinct on (moments.as_of, renewals.account_id)
        moments.as_of,
        renewals.account_id,
        renewals.renewal_date,
        renewals.mrr,
        parameters.qbr_days,
        accounts.created_at
    from {{ moments() }} as moments
    inner join {{ ref('int_renewal_dates') }} as renewals on {{ renewal_is_ahead('renewals', 'moments.as_of') }}
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on renewals.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
    inner join {{ alert_parameters('renewal_without_qbr', {'days': 90, 'qbr_days': 60}) }} as parameters
        on parameters.tier = coalesce(accounts.tier, '')
    where
        parameters.days > 0
        and renewals.renewal_date - {{ utc_day('moments.as_of') }} <= parameters.days
        and {{ is_customer('accounts', 'moments.as_of') }}
    order by moments.as_of asc, renewals.account_id asc, renewals.renewal_date asc, renewals.subscription_id asc

),

reviews as (

    select
        account_id,
        held_at,
        _loaded_at
    from {{ ref('stg_touchpoints') }}
    where
        kind in ('qbr', 'ebr')
        and not is_missed
        and held_at is not null

),

with_last_review as (

    select
        renewals.as_of,
        renewals.account_id,
        renewals.renewal_date,
        renewals.qbr_days,
        max(reviews.held_at) as last_review_at
    from renewals
    left join reviews
        on
            renewals.account_id = reviews.account_id
            and renewals.as_of >= reviews.held_at
            and {{ was_known('reviews._loaded_at', 'reviews.held_at', 'renewals.as_of') }}
    group by renewals.as_of, renewals.account_id, renewals.renewal_date, renewals.qbr_days

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(extract(epoch from as_of - last_review_at) / 86400 as double precision) as measured,
    qbr_days as held_against,
    jsonb_build_object(
        'renewal_date', renewal_date,
        'days_to_renewal', renewal_date - {{ utc_day('as_of') }},
        'last_review_on', {{ utc_day('last_review_at') }}
    ) as facts
from with_last_review
where coalesce(last_review_at < as_of - make_interval(secs => 86400 * qbr_days), true)
