-- What was said in conversations that people noted here; the conversation itself is a row of raw.touchpoints.
create table cs.conversation_notes (
    touchpoint_id text primary key,
    account_id text not null,
    note text not null check (note <> ''),
    noted_by text not null,
    noted_at timestamptz not null
);
comment on table cs.conversation_notes is
'What was said in a conversation, in the words of whoever noted it; no source system has it, so it is kept here.';
create index on cs.conversation_notes (account_id);

create index actions_stuck on cs.actions (status, channel) where status in ('uncertain', 'failed');
