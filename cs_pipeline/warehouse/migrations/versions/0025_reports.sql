-- Reports: what was made for which period, and the pictures that their messages show.

create table cs.notice_pictures (
    notice_id bigint not null references cs.notices on delete cascade,
    place integer not null,
    name text not null,                   -- as which its mail and its blocks show it
    alt_text text not null,               -- what is to be seen in it
    png bytea not null,
    primary key (notice_id, place)
);
comment on table cs.notice_pictures is 'The pictures that notices show, in their order.';

create table cs.reports (
    report text not null,                 -- its name, as `cs-pipeline report list` has it
    period date not null,                 -- first day of the week, month or quarter that it is about
    owner text not null default '',       -- of whose accounts; '' of all
    as_of timestamptz not null,           -- the moment whose knowledge it has
    made_at timestamptz not null,
    headline text not null,
    page text not null,                   -- HTML that needs nothing else
    primary key (report, period, owner)
);
comment on table cs.reports is
'One row a report, period and owner: the page as it was made last. Made again for the same period it says the same.';
