-- What a rule finds at the moments asked, without accounts that have left by then. Who has left is read by itself: what
-- one server found, where tables are spread over several, cannot be looked up on the others.
with left_accounts as materialized (
    select
        accounts.account_id,
        accounts.churned_at
    from {accounts} as accounts
    where accounts.churned_at is not null
)

insert into alert_rows (as_of, account_id, entity, measured, held_against, facts)
select
    found.as_of,
    coalesce(found.account_id, ''),
    found.entity,
    found.measured,
    found.held_against,
    coalesce(found.facts, '{}')
from {relation} as found
where
    not exists (
        select 1
        from left_accounts
        where left_accounts.account_id = found.account_id and left_accounts.churned_at <= found.as_of
    )
