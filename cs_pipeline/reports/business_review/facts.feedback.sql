-- What they told us in the period, what is still open of before as well; the newest first.
select
    kind,
    created_at::date as told_on,
    case when resolved_at < %(as_of)s then resolved_at::date end as settled_on,
    body
from staging.stg_feedback
where
    account_id = %(account)s
    and created_at < %(as_of)s
    and (created_at >= %(first)s or resolved_at is null or resolved_at >= %(as_of)s)
    and coalesce(_loaded_at < %(as_of)s, true)
order by created_at desc, feedback_id asc
