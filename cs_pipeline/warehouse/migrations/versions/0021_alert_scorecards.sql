-- Scorecards of alert rules -------------------------------------------------------------------------------------------

create table cs.alert_scorecards (
    month date not null,                  -- first day of the month in which it was made; made again, it is replaced
    rule text not null,
    version text not null,                -- of the rule: its SQL, its parameters and what decides
    watched_from date not null,
    watched_to date not null,
    event text not null,                  -- what the rule is held against
    lead_days integer not null,           -- an outcome counts from so many days after a firing
    within_days integer not null,         -- up to so many
    fired integer not null,
    baseline integer not null,            -- held when the rule was first evaluated; not counted
    censored integer not null,            -- fired, and the window is not over
    counted integer not null,
    followed integer not null,
    precision_share double precision,
    precision_low double precision,
    precision_high double precision,
    base_rate double precision,
    lift double precision,
    lift_low double precision,
    lift_high double precision,
    outcomes integer not null,
    recall double precision,
    recall_low double precision,
    recall_high double precision,
    recall_alone double precision,
    median_lead_days double precision,
    reset_days double precision,
    hours_to_acknowledge double precision,
    put_off double precision,
    touched double precision,
    verdict text not null check (verdict in (
        'keep', 'louder than useful', 'never preceded an outcome', 'too few to tell', 'not held against an outcome'
    )),
    made_at timestamptz not null,
    primary key (month, rule, version)
);
comment on table cs.alert_scorecards is
'What each alert rule was worth, held against what became of the accounts: one row a month, rule and version.';
