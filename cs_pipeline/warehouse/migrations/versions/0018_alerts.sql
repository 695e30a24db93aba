-- Alerts: what rules found, how it went on, and every evaluation -----------------------------------------------------

create table cs.alerts (
    alert_id bigint generated always as identity primary key,
    rule text not null,
    account_id text not null,             -- '' where a rule speaks of no account
    entity text not null,                 -- what it is about: the account itself, or a user, ticket or subscription
    state text not null check (state in ('pending', 'firing', 'recovering', 'resolved', 'closed')),
    cause text check (cause in (
        'condition', 'rule_changed', 'account_left', 'rule_removed', 'expired', 'dismissed'
    )),                                   -- why it is over
    version text not null,                -- of the rule, when it was last seen
    severity text not null check (severity in ('urgent', 'high', 'medium', 'low')),
    since timestamptz not null,           -- moment at which it was first seen
    since_clock double precision not null, -- the rule's clock then, see cs.alert_evaluations
    -- moment at which it was last seen with something new; while it holds it is seen
    seen_at timestamptz not null,
    -- at every evaluation, which writes nothing where nothing changed
    fired_at timestamptz,                 -- moment at which it fired; kept when it recovers and fires on
    missing integer not null default 0,   -- evaluations in a row that did not see it
    missing_since timestamptz,            -- of one that is closed: since when the rule no longer finds it
    missing_clock double precision,
    ended_at timestamptz,                 -- resolved: first moment at which it was missing
    reopened integer not null default 0,  -- times it came back within again_after: a flap
    is_baseline boolean not null default false, -- held when the rule was first evaluated: told as one count
    is_held boolean not null default false, -- too many at once: a person decides
    told_at timestamptz,                  -- when people were last told of it; null: nobody was
    measured double precision,
    held_against double precision,
    facts jsonb not null default '{}',
    inhibited_by text,                    -- rule that fires for the account and stands before this one
    acknowledged_by text,
    acknowledged_at timestamptz,
    snoozed_until timestamptz,
    snooze_reason text,
    check ((state in ('resolved', 'closed')) = (ended_at is not null)),
    check ((ended_at is null) = (cause is null))
);
create unique index alerts_open on cs.alerts (rule, account_id, entity)
where state in ('pending', 'firing', 'recovering');
create index alerts_by_key on cs.alerts (rule, account_id, entity, alert_id);
create index alerts_closed_and_found on cs.alerts (rule, account_id, entity)
where state = 'closed' and missing_since is null;
create index alerts_untold on cs.alerts (rule)
where state = 'firing' and told_at is null and not is_baseline;
create index alerts_by_account on cs.alerts (account_id, fired_at);
create index alerts_by_end on cs.alerts (ended_at) where ended_at is not null;
comment on table cs.alerts is
'What alert rules found: one row a rule, account and entity from its first sight to its end; told again, a new row.';

create table cs.alert_changes (
    change_id bigint generated always as identity primary key,
    alert_id bigint not null,
    rule text not null,
    account_id text not null,
    entity text not null,
    as_of timestamptz not null,
    from_state text,
    to_state text not null,
    cause text,
    version text not null,
    measured double precision,
    -- null: an evaluation. Who acknowledges, snoozes or releases leaves the state as it is
    decided_by text
);
create index alert_changes_by_alert on cs.alert_changes (alert_id, change_id);
create index alert_changes_by_rule on cs.alert_changes (rule, as_of);
create index alert_changes_by_time on cs.alert_changes using brin (as_of);
comment on table cs.alert_changes is
'Every change of state of an alert, and what people decided about it; rows are added only.';

create table cs.alert_evaluations (
    rule text not null,
    as_of timestamptz not null,
    version text not null,
    health text not null check (health in ('ok', 'no_data', 'error', 'held')),
    clock double precision not null,      -- seconds over which the rule was watched: it stands while health is not ok
    found integer not null default 0,     -- rows that the rule returned
    fired integer not null default 0,
    resolved integer not null default 0,
    closed integer not null default 0,
    inhibited integer not null default 0,
    out_of_audience integer not null default 0,
    held integer not null default 0,
    seconds double precision,
    error text,                           -- what was wrong, in words
    evaluated_at timestamptz not null,
    is_baseline boolean not null default false, -- what was new then fired quietly
    ends_watch boolean not null default false, -- the rule was removed or switched off after it
    reported_at timestamptz,              -- when operations were told of it, as far as they are
    primary key (rule, as_of)
);
create index alert_evaluations_of_sight on cs.alert_evaluations (rule, as_of) where health in ('ok', 'held');
create index alert_evaluations_by_time on cs.alert_evaluations using brin (as_of);
create index alert_evaluations_to_report on cs.alert_evaluations (evaluated_at)
where reported_at is null and (health in ('no_data', 'error') or is_baseline);
comment on table cs.alert_evaluations is
'One row for each evaluation of an alert rule: its health, and what came of it.';

create table cs.alert_parameters (
    rule text not null,
    tier text not null,                   -- '' for accounts without a tier, and for rules without an account
    parameters jsonb not null,            -- value by name, all of the rule
    primary key (rule, tier)
);
comment on table cs.alert_parameters is
'Parameters of alert rules by tier, as the team''s alerts.yaml sets them; the views fall back to those of the rule.';

create table cs.alert_silences (
    silence_id bigint generated always as identity primary key,
    rule text,                            -- null: every rule
    account_id text,                      -- null: every account
    until timestamptz not null,
    reason text not null,
    set_by text not null,
    set_at timestamptz not null,
    lifted_at timestamptz,
    check (rule is not null or account_id is not null)
);
comment on table cs.alert_silences is
'What people do not want to be told for a while. Alerts change state all the same.';
