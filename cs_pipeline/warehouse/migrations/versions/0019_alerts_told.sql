-- Notices for our own people, and who was told of which alert -------------------------------------------------------

alter table cs.notices
add column html text,
add column blocks jsonb;
comment on table cs.notices is
'What our own people are told: each with an action in Slack, one by e-mail for when Slack has not taken it, or both.';
comment on column cs.notices.html is 'Its body as an e-mail; null: the plain body.';
comment on column cs.notices.blocks is 'Its body in Slack, as Block Kit; null: the plain body.';
comment on column cs.actions.notice_id is 'The notice that it tells to one of us; null for an action of a play.';

create table cs.alert_notifications (
    notification_id bigint generated always as identity primary key,
    alert_id bigint not null,
    rule text not null,
    account_id text not null,             -- '' where the rule speaks of no account
    fired_at timestamptz not null,        -- of the alert: when it fires anew, it is told anew
    kind text not null check (kind in ('new', 'resolved', 'reopened', 'reminder', 'escalation')),
    nth integer not null default 1,       -- the how-manieth of its kind
    recipient text not null,              -- address, or a Slack channel such as '#sales'
    role text not null,                   -- as which they are told: the role of the person, or the team
    created_at timestamptz not null,
    is_in_digest boolean not null,        -- waits for the recipient's next digest; else told at once
    due_at timestamptz not null,          -- when that is
    notice_id bigint references cs.notices, -- the message that told it; null: it waits, or was dropped
    dropped text check (dropped in ('over', 'acknowledged')), -- why it needed no telling any more
    unique (alert_id, fired_at, kind, nth, recipient),
    check (notice_id is null or dropped is null)
);
create index alert_notifications_waiting on cs.alert_notifications (is_in_digest, recipient, due_at)
where notice_id is null and dropped is null;
create index alert_notifications_by_recipient on cs.alert_notifications (recipient, due_at) where is_in_digest;
create index alert_notifications_by_notice on cs.alert_notifications (notice_id) where notice_id is not null;
comment on table cs.alert_notifications is
'What people are told of alerts: one row an alert, firing, kind, number and recipient, written with what it tells.';

create index alerts_told_and_open on cs.alerts (rule, told_at)
where told_at is not null and state in ('firing', 'recovering');
