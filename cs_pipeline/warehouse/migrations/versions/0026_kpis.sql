-- KPIs and renewal forecasts ------------------------------------------------------------------------------------------

create table cs.kpi_definitions (
    kpi text primary key,
    title text not null,
    unit text not null,
    good text not null check (good in ('up', 'down', 'neither')),
    basis text not null,
    formula text not null,
    facts text[] not null,
    sources text[] not null,              -- canonical tables to be loaded after a month for it to be complete
    window_months integer not null,       -- that headlines show
    target double precision,
    target_kind text check (target_kind in ('above', 'at_least', 'below', 'at_most')),
    target_window_months integer,
    if_missed text,
    version text not null
);
comment on table cs.kpi_definitions is
'What kpis.yaml says of every KPI, with the target in force; written anew before KPIs are built.';

create table cs.renewal_forecasts (
    week date not null,                   -- Monday of the week at whose end the forecast was made
    subscription_id text not null,
    renewal_date date not null,
    account_id text not null,
    mrr double precision not null,
    tier text,
    severity smallint,                    -- of the active score of that week; null: not scored
    history integer not null,             -- renewals of the same severity that were decided before
    history_renewed integer not null,
    likelihood double precision not null check (likelihood between 0 and 1),
    low double precision not null,
    high double precision not null,
    csm_call double precision check (csm_call between 0 and 1),
    primary key (week, subscription_id, renewal_date)
);
comment on table cs.renewal_forecasts is
'How likely each renewal within 92 days was at the end of a week, from what was known then. '
'A week is replaced as a whole.';

create table cs.renewal_calls (
    call_id bigint generated always as identity primary key,
    subscription_id text not null,
    likelihood double precision not null check (likelihood between 0 and 1),
    reason text not null,
    called_by text not null,
    called_at timestamptz not null default clock_timestamp()
);
create index on cs.renewal_calls (subscription_id, called_at);
comment on table cs.renewal_calls is
'What CSMs expect of a renewal themselves; the newest before a week''s end stands beside its forecast.';
