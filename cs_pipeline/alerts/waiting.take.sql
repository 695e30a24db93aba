-- What is ready to be told, with the message that it goes into. A reader of whom one row is due gets all that wait.
create temporary table alerts_to_tell on commit drop as
with ready as (
    select
        waiting.notification_id,
        waiting.due_at,
        case
            when waiting.is_in_digest then waiting.recipient
            when waiting.account_id = '' then concat_ws(' ', waiting.recipient, 'rule', waiting.rule)
            else concat_ws(' ', waiting.recipient, 'account', waiting.account_id)
        end as message
    from cs.alert_notifications as waiting
    inner join cs.alerts using (alert_id)
    where
        waiting.notice_id is null
        and waiting.dropped is null
        and waiting.is_in_digest = %(is_in_digest)s
        and (waiting.kind = 'resolved' or coalesce(alerts.snoozed_until <= %(now)s, true))
        and not exists (
            select 1
            from cs.alert_silences as silences
            where
                silences.lifted_at is null
                and silences.until > %(now)s
                and (silences.rule = waiting.rule or silences.rule is null)
                and (silences.account_id = waiting.account_id or silences.account_id is null)
        )
        and not exists (
            select 1
            from cs.kill_switches as switches
            where switches.scope = 'account' and switches.name = waiting.account_id
        )
)

select
    notification_id,
    message
from (
    select
        notification_id,
        message,
        min(due_at) over (partition by message) as first_due_at
    from ready
) as by_message
where first_due_at <= %(now)s
