-- Who was told of an alert, when and how, and what waits for their next digest (see alert_page.py).
select
    told.kind,
    told.nth,
    told.recipient,
    told.role,
    told.is_in_digest,
    told.due_at,
    told.dropped,
    notices.subject,
    notices.created_at as told_at,
    coalesce(messages.messages, '[]') as messages
from cs.alert_notifications as told
left join cs.notices as notices on told.notice_id = notices.notice_id
left join lateral (
    select
        jsonb_agg(
            jsonb_build_object('channel', actions.channel, 'status', actions.status, 'path', captured.path)
            order by actions.action_id
        ) as messages
    from cs.actions as actions
    left join cs.captured_messages as captured on actions.action_key = captured.action_key
    where actions.notice_id = told.notice_id
) as messages on true
where told.alert_id = %(alert_id)s
order by told.notification_id
limit 200
