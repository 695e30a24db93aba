-- How far a playbook would reach, and whether a trip of it is open or was released lately.
with reached as (
    select unnest(%(account_ids)s::text[]) as account_id
    union
    select account_id
    from cs.enrolments
    where playbook = %(playbook)s and status <> 'refused' and enrolled_at > %(since)s
    union
    select triggers.account_id
    from cs.breaker_trips as trips
    inner join cs.triggers on triggers.trigger_id = any(trips.trigger_ids)
    where trips.playbook = %(playbook)s and trips.decision is null
),

company as (
    select
        count(*) as accounts,
        sum(arr) as arr
    from marts.dim_accounts
    where coalesce(churned_at > %(now)s, true)
)

select
    count(*)::integer,
    coalesce(count(*)::double precision / nullif(max(company.accounts), 0), 1),
    coalesce(sum(accounts.arr)::double precision / nullif(max(company.arr), 0), 0),
    exists(
        select 1 from cs.breaker_trips as earlier
        where earlier.playbook = %(playbook)s and earlier.decision is null
    ),
    exists(
        select 1
        from cs.breaker_trips as earlier
        where earlier.playbook = %(playbook)s and earlier.decision = 'released' and earlier.decided_at > %(since)s
    )
from reached
cross join company
left join marts.dim_accounts as accounts on reached.account_id = accounts.account_id
