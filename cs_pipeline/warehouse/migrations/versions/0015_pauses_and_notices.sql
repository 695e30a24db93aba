-- Channels that take nothing for a while, and what operations are told, as actions of the outbox ---------------------

create table cs.channel_pauses (
    channel text primary key,
    cause text not null check (cause in ('refused', 'no_answer', 'asked_to_wait')),
    detail text not null,                 -- the provider's last words
    since timestamptz not null,           -- first of the calls in a row
    calls integer not null,               -- in a row that ended so
    paused_until timestamptz              -- null: it is still asked, one message at a time
);
comment on table cs.channel_pauses is
'Channels whose provider refuses us, does not answer, or asked to wait. A row goes when a message gets through again.';

alter table cs.action_attempts add column cause text not null default 'message'
check (cause in ('message', 'channel', 'not_asked'));
comment on column cs.action_attempts.cause is
'Whose matter a retry was: the message''s, the channel''s (it refuses us), or nobody''s, as it was not handed over.';

create table cs.notices (
    notice_id bigint generated always as identity primary key,
    notice_key text not null unique,      -- what it is about: it is told once
    subject text not null,
    body text not null,
    created_at timestamptz not null
);
comment on table cs.notices is
'What operations are told: each with an action in Slack, and one by e-mail for when Slack has not taken it.';

alter table cs.actions
alter column enrolment_id drop not null,
add column notice_id bigint references cs.notices,
add column looked_up_at timestamptz,
add constraint actions_of_a_play_or_a_notice check ((enrolment_id is null) <> (notice_id is null));
comment on column cs.actions.notice_id is 'The notice that it tells to operations; null for an action of a play.';
comment on column cs.actions.looked_up_at is 'When its uncertain attempt was last looked for at the provider.';

create index actions_by_notice on cs.actions (notice_id) where notice_id is not null;
