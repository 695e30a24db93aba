select coalesce(sum(amount), 0) as amount
from staging.stg_value_log
where
    account_id = %(account)s
    and recorded_on >= %(before)s::date
    and recorded_on < %(first)s::date
    and coalesce(_loaded_at < %(as_of)s, true)
