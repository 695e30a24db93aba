with asked as (
    {all_requests}
),

accounts as (
    select distinct
        account_id,
        arr
    from asked
    where is_open
)

select
    count(*) filter (where asked.is_open) as items,
    count(*) filter (where asked.is_open and asked.is_new) as new,
    count(*) filter (where asked.said_at < %(first)s::date and asked.said_at >= %(first)s::date - 7) as new_before,
    count(*) filter (
        where asked.settled_at >= %(first)s::date and asked.settled_at < %(as_of)s::timestamptz
    ) as settled,
    (select count(*) from accounts) as accounts,
    (select sum(accounts.arr) from accounts) as arr,
    (
        select count(*)
        from cs.routed_feedback as waiting
        where waiting.rule is null and waiting.assigned_at is null and waiting.said_at < %(as_of)s::timestamptz
    ) as triage
from asked
