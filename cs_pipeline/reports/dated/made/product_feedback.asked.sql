-- What went to the team and was said by the end of the period, with the account as it was in the last week.
select
    ledger.said_in,
    ledger.source_id,
    ledger.account_id,
    ledger.feature,
    ledger.priority,
    ledger.said_at,
    items.words,
    items.settled_at,
    weeks.account_name,
    weeks.tier,
    weeks.renewal_date,
    coalesce(weeks.arr, 0) as arr,
    features.feature_name,
    ledger.said_at >= %(first)s::date as is_new,
    coalesce(items.settled_at >= %(as_of)s::timestamptz, true) as is_open,
    coalesce(
        weeks.renewal_date between %(end)s::date and %(end)s::date + %(renewal_days)s::integer, false
    ) as renews_soon
from cs.routed_feedback as ledger
left join intermediate.int_feedback_items as items
    on ledger.said_in = items.said_in and ledger.source_id = items.source_id
left join marts.fct_account_weeks as weeks
    on ledger.account_id = weeks.account_id and weeks.week = %(week)s::date
left join staging.stg_features as features on ledger.feature = features.feature
where
    %(team)s::text = any(ledger.sent_to)
    and ledger.said_at < %(as_of)s::timestamptz
    and ledger.said_at >= %(as_of)s::timestamptz - make_interval(days => %(looks_back_days)s::integer)
