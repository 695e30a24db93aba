-- Months of events that were written to files and taken out of the database -------------------------------------------

create table cs.archived_months (
    source_table text not null,
    month date not null check (extract(day from month) = 1),
    file text not null,
    rows bigint not null,
    digest text not null,
    archived_at timestamptz not null default clock_timestamp(),
    primary key (source_table, month)
);
comment on table cs.archived_months is
'Months (UTC) whose rows are in a file and not in the database: sums by day stay, and loads put rows of them aside.';
comment on column cs.archived_months.month is 'Its first day.';
comment on column cs.archived_months.file is 'Where the file was written; beside it stands its manifest.';
comment on column cs.archived_months.digest is 'SHA-256 of its rows as CSV, in their order.';
