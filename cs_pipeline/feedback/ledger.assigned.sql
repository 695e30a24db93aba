-- Items of the ledger that were sent elsewhere just now, as those that were routed just now stand; a temporary table.
create temporary table routed_now on commit drop as
select
    ledger.said_in,
    ledger.source_id,
    ledger.account_id,
    ledger.feature,
    ledger.tier,
    ledger.said_at,
    ledger.rule,
    ledger.sent_to,
    ledger.priority,
    ledger.is_told,
    items.words,
    weeks.renewal_date - cast(%(now)s as date) as days_to_renewal
from cs.routed_feedback as ledger
left join {items} as items
    on ledger.said_in = items.said_in and ledger.source_id = items.source_id
left join marts.fct_account_weeks as weeks
    on
        ledger.account_id = weeks.account_id
        and weeks.week = (select max(newest.week) from marts.fct_account_weeks as newest)
where ledger.said_in || ':' || ledger.source_id = any(%(items)s::text[])
