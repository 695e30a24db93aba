-- What SendGrid says became of mails, as it came, and by which links in our mails are known as ours.

create table cs.sendgrid_events (
    event_key uuid primary key,
    received_at timestamptz not null,
    event text,
    occurred_at timestamptz,
    message_id text,
    action_key text,
    email text,
    problem text,
    body jsonb not null,
    load_id bigint
);
comment on table cs.sendgrid_events is 'What SendGrid''s event webhook told, each event once and as it came.';
comment on column cs.sendgrid_events.event_key is 'Digest of message, event, moment, address and link.';
comment on column cs.sendgrid_events.message_id is 'SendGrid''s id of the mail.';
comment on column cs.sendgrid_events.action_key is
'The action of cs.actions that the mail was; null for mail of others.';
comment on column cs.sendgrid_events.problem is 'Why it cannot be understood; null where it can.';
comment on column cs.sendgrid_events.load_id is 'The load that took it over into raw.email_events; null until then.';
create index sendgrid_events_to_take_over on cs.sendgrid_events (received_at) where load_id is null;
create index sendgrid_events_with_problems on cs.sendgrid_events (received_at) where problem is not null;
create index sendgrid_events_by_address on cs.sendgrid_events (email) where email is not null;
