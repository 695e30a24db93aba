select
    date_trunc('month', recorded_on)::date as month,
    kind,
    sum(amount) as amount
from staging.stg_value_log
where
    account_id = %(account)s
    and recorded_on >= %(first)s::date
    and recorded_on < %(as_of)s::date
    and coalesce(_loaded_at < %(as_of)s, true)
group by 1, 2
order by 1, 2
