alter table cs.triggers drop constraint triggers_kind_check;
alter table cs.triggers add constraint triggers_kind_check check (
    kind in ('score_change', 'renewal_window', 'segment_entry', 'cadence', 'alert', 'lifecycle', 'manual')
);

create table cs.segments (
    segment text primary key,
    definition text not null              -- the condition; a changed one is looked at anew, and starts no play
);
comment on table cs.segments is 'Segments that were looked at before: only then is somebody new in them an entry.';

create table cs.segment_members (
    segment text not null references cs.segments,
    account_id text not null,
    entered_on date not null,
    primary key (segment, account_id)
);
comment on table cs.segment_members is 'Who was in which segment when it was last looked at.';
