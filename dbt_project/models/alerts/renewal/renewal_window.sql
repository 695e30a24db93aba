select
    moments.as_of,
    renewals.account_id,
    -- What renews by itself comes into the same windows again: its later renewals are told apart by their date.
    concat_ws(
        ':', renewals.subscription_id, windows.days, case when renewals.lap > 0 then renewals.renewal_date end
    ) as entity,
    cast(renewals.renewal_date - {{ utc_day('moments.as_of') }} as double precision) as measured,
    cast(windows.days as double precision) as held_against,
    jsonb_build_object(
        'subscription_id', renewals.subscription_id,
        'window', windows.days,
        'renewal_date', renewals.renewal_date,
        'renewal_type', renewals.renewal_type,
        'plan', renewals.plan,
        'arr', renewals.mrr * 12
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('int_renewal_dates') }} as renewals on {{ renewal_is_ahead('renewals', 'moments.as_of') }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on renewals.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('renewal_window', {'windows': ['90', '60', '30', '7']}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
-- The narrowest window: a contract that comes to light 20 days before its renewal is told of once.
cross join
    lateral (
        select min(cast(listed.days as integer)) as days
        from unnest(parameters.windows) as listed (days)
        where cast(listed.days as integer) >= renewals.renewal_date - {{ utc_day('moments.as_of') }}
    ) as windows
where
    windows.days <= renewals.renewal_date - renewals.since
    and {{ is_customer('accounts', 'moments.as_of') }}
