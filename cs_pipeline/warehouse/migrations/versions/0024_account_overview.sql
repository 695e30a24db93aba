-- Every account as of the newest scored week -------------------------------------------------------------------------

create table cs.account_overview (
    account_id text primary key,
    account_name text not null,
    week date not null,                   -- the scored week that it is as of
    score double precision,
    band text,
    severity smallint,
    change double precision not null,     -- of the score against the week before; 0 where nothing changed
    previous_band text,                   -- where it changed
    arr double precision not null,
    tier text,
    plan text,
    industry text,
    lifecycle_stage text,
    owner_email text,
    renewal_date date,
    renewal_type text,
    has_cancellation_request boolean not null,
    last_touch_on date,
    -- Never missing, so that a list can go on after a row: (rank, account_id) orders every account.
    score_rank double precision generated always as (coalesce(score, 1000)) stored,
    renewal_rank date generated always as (coalesce(renewal_date, date '9999-12-31')) stored,
    name_rank text collate "C" generated always as (lower(account_name)) stored
);
comment on table cs.account_overview is
'Every account as of the newest scored week: written anew with each week''s score changes, for lists that people '
'search, filter and sort.';

create index account_overview_by_score on cs.account_overview (score_rank, account_id);
create index account_overview_by_change on cs.account_overview (change, account_id);
create index account_overview_by_arr on cs.account_overview (arr, account_id);
create index account_overview_by_renewal on cs.account_overview (renewal_rank, account_id);
create index account_overview_by_name on cs.account_overview (name_rank, account_id);
create index account_overview_by_owner on cs.account_overview (owner_email, account_id);

create table cs.account_overview_values (
    filter text not null,                 -- band, tier, plan, industry, stage or owner
    value text not null,
    accounts integer not null,
    arr double precision not null,
    severity smallint,                    -- of a band
    primary key (filter, value)
);
comment on table cs.account_overview_values is
'What accounts of cs.account_overview can be filtered by, and how many there are of each.';
