select
    ledger.said_in || ':' || ledger.source_id as item,
    ledger.said_at,
    ledger.account_id,
    accounts.account_name,
    ledger.tier,
    accounts.arr,
    ledger.kind,
    ledger.question,
    ledger.feature,
    ledger.priority,
    ledger.rule,
    ledger.matched,
    ledger.sent_to as "to",
    items.words,
    asking.playbook || '/' || asking.step as asked_by,
    ledger.routed_at,
    ledger.assigned_by,
    ledger.action_ids as actions
from cs.routed_feedback as ledger
left join marts.dim_accounts as accounts on ledger.account_id = accounts.account_id
left join intermediate.int_feedback_items as items
    on ledger.said_in = items.said_in and ledger.source_id = items.source_id
left join cs.actions as asking on ledger.asked_by = md5(asking.action_key)
where
    (%(rule)s::text is null or %(rule)s::text = any(ledger.matched))
    and (%(to)s::text is null or %(to)s::text = any(ledger.sent_to))
    and (%(account)s::text is null or %(account)s::text in (ledger.account_id, accounts.account_name))
    and (not %(is_triage)s or (ledger.rule is null and ledger.assigned_at is null))
    and (%(since)s::timestamptz is null or ledger.said_at >= %(since)s::timestamptz)
order by ledger.said_at desc, ledger.source_id asc
limit %(limit)s
