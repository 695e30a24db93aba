select
    week,
    active_users_7d,
    active_users_30d,
    seats,
    logins_7d,
    feature_adoption_ratio
from marts.fct_account_weeks
where account_id = %(account)s and week >= %(first)s::date and week <= %(as_of)s::date - 7
order by week
