create table cs.breaker_trips (
    trip_id bigint generated always as identity primary key,
    playbook text not null,
    tripped_at timestamptz not null,
    accounts integer not null,            -- that would have been in the play, with those of the day before
    share_of_accounts double precision not null,
    share_of_arr double precision not null,
    trigger_ids bigint[] not null,       -- nobody is enrolled for them until a person decides
    decision text check (decision in ('released', 'dismissed')),
    decided_by text,
    decided_at timestamptz,
    check ((decision is null) = (decided_by is null) and (decision is null) = (decided_at is null))
);
create unique index one_open_trip_per_playbook on cs.breaker_trips (playbook) where decision is null;
comment on table cs.breaker_trips is
'Batches so large that nobody was enrolled until a person looked: what they would have been, who decided, how.';

create table cs.action_decisions (
    decision_id bigint generated always as identity primary key,
    action_id bigint not null references cs.actions,
    decision text not null check (decision in ('approve', 'hold', 'cancel', 'resend')),
    status_before text not null,
    reason_before text,
    decided_by text not null check (decided_by <> ''),
    decided_at timestamptz not null
);
create index action_decisions_by_action on cs.action_decisions (action_id);
comment on table cs.action_decisions is
'What people decided about single actions: who, when, and what the action was before.';

alter table cs.actions add column resent_at timestamptz; -- a person wants it out, also when its play is over
comment on column cs.actions.resent_at is 'When a person last asked for it to be sent again.';

create index actions_mailed on cs.actions (lower(recipient), coalesce(sent_at, due_at))
where channel = 'email' and status in ('sent', 'claimed', 'uncertain');
