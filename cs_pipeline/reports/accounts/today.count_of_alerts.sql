-- How many alerts of one kind nobody looks after, up to 1,000 (see today.py).
select count(*)
from (
    select 1
    from cs.alerts as alerts
    left join cs.account_overview as overview using (account_id)
    where
        {shown}
        and alerts.state in ('firing', 'recovering')
        and not alerts.is_held
        and alerts.inhibited_by is null
        and alerts.acknowledged_at is null
        and coalesce(alerts.snoozed_until <= %(now)s, true)
        and (%(owner)s::text is null or lower(overview.owner_email) = %(owner)s)
    limit 1000  -- noqa: AM09
) as alerts_of_a_kind
