with

renewals as (

    select distinct on (moments.as_of, renewals.account_id)
        moments.as_of,
        renewals.account_id,
        renewals.renewal_date,
        renewals.mrr,
        parameters.days,
        parameters.ahead_days
    from {{ moments() }} as moments
    inner join {{ ref('int_renewal_dates') }} as renewals on {{ renewal_is_ahead('renewals', 'moments.as_of') }}
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on renewals.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
    inner join {{ alert_parameters('renewal_conversation', {'days': 90, 'ahead_days': 14}) }} as parameters
        on parameters.tier = coalesce(accounts.tier, '')
    where
        renewals.renewal_date - {{ utc_day('moments.as_of') }} <= parameters.days
        and {{ is_customer('accounts', 'moments.as_of') }}
    order by moments.as_of asc, renewals.account_id asc, renewals.renewal_date asc, renewals.subscription_id asc

)

select
    renewals.as_of,
    renewals.account_id,
    touchpoints.touchpoint_id as entity,
    cast(renewals.renewal_date - {{ utc_day('renewals.as_of') }} as double precision) as measured,
    renewals.days as held_against,
    jsonb_build_object(
        'kind', case
            when touchpoints.kind in ('qbr', 'ebr') then upper(touchpoints.kind)
            else replace(touchpoints.kind, '_', ' ')
        end,
        'scheduled_at', touchpoints.scheduled_at,
        'renewal_date', renewals.renewal_date,
        'arr', renewals.mrr * 12
    ) as facts
from renewals
inner join {{ ref('stg_touchpoints') }} as touchpoints on renewals.account_id = touchpoints.account_id
where
    touchpoints.kind in ('call', 'check_in', 'qbr', 'ebr', 'executive_call')
    and not touchpoints.is_missed
    and touchpoints.scheduled_at > renewals.as_of - make_interval(days => {{ days_of_news() }})
    and touchpoints.scheduled_at <= renewals.as_of + make_interval(secs => 86400 * renewals.ahead_days)
    and {{ was_known('touchpoints._loaded_at', 'touchpoints.scheduled_at', 'renewals.as_of') }}
