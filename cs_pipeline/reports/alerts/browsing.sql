-- The alerts of a page, with what people decided about each (see browsing.py).
with chosen as (
    select
        alerts.*,
        coalesce(overview.account_name, accounts.account_name) as account_name,
        coalesce(overview.owner_email, accounts.owner_email) as owner_email,
        overview.arr,
        ids.place
    from unnest(%(ids)s::bigint[]) with ordinality as ids (alert_id, place)
    inner join cs.alerts as alerts using (alert_id)
    left join cs.account_overview as overview using (account_id)
    left join staging.stg_accounts as accounts using (account_id)
)

select
    chosen.alert_id,
    chosen.severity,
    chosen.state,
    chosen.rule,
    nullif(chosen.account_id, '') as account_id,
    chosen.account_name,
    chosen.owner_email,
    chosen.arr,
    nullif(chosen.entity, chosen.account_id) as entity,
    chosen.measured,
    chosen.held_against,
    chosen.facts,
    chosen.since,
    chosen.fired_at,
    chosen.ended_at,
    chosen.cause,
    chosen.reopened,
    chosen.is_baseline,
    chosen.is_held,
    chosen.inhibited_by,
    chosen.acknowledged_by,
    chosen.acknowledged_at,
    case when chosen.snoozed_until > %(now)s then chosen.snoozed_until end as snoozed_until,
    case when chosen.snoozed_until > %(now)s then chosen.snooze_reason end as snooze_reason,
    silence.until as silenced_until,
    silence.reason as silence_reason
from chosen
left join lateral (
    select
        silences.until,
        silences.reason
    from cs.alert_silences as silences
    where
        chosen.ended_at is null
        and silences.lifted_at is null
        and silences.until > %(now)s
        and (silences.rule = chosen.rule or silences.rule is null)
        and (silences.account_id = chosen.account_id or silences.account_id is null)
    order by silences.until desc
    limit 1
) as silence on true
order by chosen.place
