select
    moments.as_of,
    users.account_id,
    users.user_id as entity,
    cast(null as double precision) as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object('added_at', users.created_at) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_users') }} as users on {{ is_news('users.created_at', 'moments.as_of') }}
inner join {{ ref('int_accounts_over_time') }} as accounts
    on users.account_id = accounts.account_id and {{ held_at('accounts', 'moments.as_of') }}
inner join {{ alert_parameters('user_added', {'account_age_days': 1}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ is_around_moments('users.created_at', days_of_news()) }}
    and users.created_at > accounts.created_at + make_interval(secs => 86400 * parameters.account_age_days)
    and coalesce(users.deleted_at > moments.as_of, true)
    and {{ was_known('users._loaded_at', 'users.created_at', 'moments.as_of') }}
    and {{ is_customer('accounts', 'moments.as_of') }}
