-- When support answers: clocks of tickets run in these intervals only, or always where there are none.

create table cs.support_hours (
    opens_at timestamptz primary key,
    closes_at timestamptz not null check (closes_at > opens_at),
    minutes_before double precision not null -- of all intervals before
);
comment on table cs.support_hours is
'Hours in which support answers, as alerts.yaml says; empty where clocks run day and night.';
