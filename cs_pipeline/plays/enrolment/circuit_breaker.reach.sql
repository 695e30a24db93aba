-- How far a playbook would reach, and whether a trip of it is open or was released lately.
-- Shares are worked out only where they count. Accounts are those of the newest scored week, for what each pays today
-- would have to be added up from all contracts for every batch; where none has been scored, as they are today.
with reached as materialized (
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

accounts as not materialized (
    select
        account_id,
        arr
    from cs.account_overview
    union all
    select
        account_id,
        arr
    from marts.dim_accounts
    where coalesce(churned_at > %(now)s, true) and not exists (select 1 from cs.account_overview)
),

counted as materialized (
    select
        (select count(*) from reached) as accounts,
        exists(
            select 1 from cs.breaker_trips
            where playbook = %(playbook)s and decision is null
        ) as is_open
),

company as (
    select count(*) as accounts
    from accounts
)

select
    accounts::integer,
    is_open,
    case
        when is_open or accounts >= %(from)s
            then accounts::double precision / greatest((select company.accounts from company), accounts)
        else 0
    end,
    case
        when is_open or accounts >= %(from)s
            then coalesce(
                (
                    select
                        sum(all_accounts.arr) filter (
                            where all_accounts.account_id in (select reached.account_id from reached)
                        ) / nullif(sum(all_accounts.arr), 0)
                    from accounts as all_accounts
                ),
                0
            )
        else 0
    end
from counted
