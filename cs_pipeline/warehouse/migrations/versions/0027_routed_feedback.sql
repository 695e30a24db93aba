-- What customers said, and to whom it was handed on.

create table cs.routed_feedback (
    said_in text not null,                -- feedback, survey, ticket or cancellation
    source_id text not null,              -- key of the row in that table
    account_id text not null,
    kind text not null,                   -- as somebody tagged it; untagged
    question text,                        -- what was asked
    feature text,                         -- which it is about, as noted or as named in the words
    asked_by text,                        -- the message that asked
    tier text,                            -- of the account when it was routed
    said_at timestamptz not null,
    rule text,                            -- the first that matched; null: none did, it is in triage
    matched text[] not null,              -- all rules that matched, in their order
    sent_to text[] not null,              -- roles, teams, channels or addresses
    priority text not null check (priority in ('urgent', 'high', 'medium', 'low')),
    routed_at timestamptz not null,
    is_told boolean not null,             -- false: said too long ago to tell anybody
    action_ids bigint[] not null default '{}', -- of the outbox: the messages that told it
    assigned_by text,                     -- who took it out of triage, or sent it elsewhere
    assigned_at timestamptz,
    primary key (said_in, source_id)
);
create index routed_feedback_by_account on cs.routed_feedback (account_id, said_at);
create index routed_feedback_by_time on cs.routed_feedback (said_at);
create index routed_feedback_in_triage on cs.routed_feedback (said_at)
where rule is null and assigned_at is null;
comment on table cs.routed_feedback is
'One row for everything a customer said that was handed on: to whom, by which rule, when, by which messages.';

create index actions_by_reference on cs.actions (md5(action_key));
comment on index cs.actions_by_reference is 'By the asked_by of a link in a message, with which an answer comes back.';
