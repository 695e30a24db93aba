-- Loading -----------------------------------------------------------------------------------------------------------

create table cs.loads (
    load_id bigint generated always as identity primary key,
    source_table text not null,
    origin text not null,                 -- file or mapping the rows came from
    rows_read bigint not null default 0,
    rows_loaded bigint not null default 0,
    rows_rejected bigint not null default 0,
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);
comment on table cs.loads is 'One row per file or mapping loaded into the source contract.';

create table raw.raw_rejects (
    reject_id bigint generated always as identity primary key,
    load_id bigint not null references cs.loads,
    source_table text not null,
    origin text not null,
    line bigint,                          -- line of the file, counted from 1 with its header; null for a mapping
    column_name text,
    reason text not null,
    row_data jsonb not null
);
create index raw_rejects_by_load on raw.raw_rejects (load_id);
comment on table raw.raw_rejects is 'Rows that broke the source contract, whole, with the reason.';

-- Scores --------------------------------------------------------------------------------------------------------------

create table cs.score_models (
    model text not null,
    model_version text not null,          -- content hash of the definition
    metrics text[] not null,              -- order of the arrays in health_scores
    max_points double precision[] not null,
    definition jsonb not null,
    primary key (model, model_version)
);
comment on table cs.score_models is 'Every version of every score model that ever scored a week.';

create table cs.health_scores (
    week date not null,
    account_id text not null,
    model text not null,
    model_version text not null,
    is_active boolean not null,           -- the model that counts for this account in this week
    status text not null check (status in ('scored', 'not_scored')),
    score double precision check (score between 0 and 100),
    band text,
    severity smallint check (severity between 0 and 3),
    coverage double precision not null check (coverage between 0 and 1),
    metric_values double precision[] not null,
    points double precision[] not null,   -- before caps; null where the metric is missing
    contributions double precision[] not null, -- what each metric gives to the score; sums to it
    points_lost_to_cap double precision not null,
    primary key (week, account_id, model, model_version), -- no foreign key: it would be a third of writing a score
    check ((status = 'scored') = (score is not null and band is not null and severity is not null))
);
create unique index health_scores_active on cs.health_scores (account_id, week) where is_active;
comment on table cs.health_scores is
'One row per week, account and score model version. No timestamps: scoring a week again gives the same rows.';

create view cs.score_points as
select
    health_scores.week,
    health_scores.account_id,
    health_scores.model,
    health_scores.model_version,
    health_scores.is_active,
    metric.name as metric,
    health_scores.metric_values[metric.position] as metric_value,
    health_scores.points[metric.position] as points,
    score_models.max_points[metric.position] as max_points,
    health_scores.contributions[metric.position] as contribution
from cs.health_scores
inner join cs.score_models using (model, model_version)
cross join lateral unnest(score_models.metrics) with ordinality as metric (name, position);
comment on view cs.score_points is 'The points of every metric of every score, one row each.';

create table cs.score_changes (
    week date not null,
    account_id text not null,
    model text not null,
    model_version text not null,
    previous_week date,                   -- null: the account's first score
    from_score double precision,
    to_score double precision,
    delta double precision,
    from_band text,
    to_band text,
    from_severity smallint,
    to_severity smallint,
    cause text not null,                  -- first_score, behaviour, calendar, missing_data, model_version, override
    driver_metrics text[] not null,       -- largest first; their deltas sum to delta
    driver_deltas double precision[] not null,
    driver_causes text[] not null,
    origin text not null check (origin in ('live', 'backfill')),
    primary key (week, account_id, model, model_version)
);
create index score_changes_by_account on cs.score_changes (account_id, week);
comment on table cs.score_changes is
'How each active score differs from the account''s score of the week before, and why.';

create table cs.renewal_windows (
    subscription_id text not null,
    renewal_date date not null,
    renewal_window text not null check (renewal_window in ('180', '90', '60', '30', '14', '7', 'overdue')),
    account_id text not null,
    week date not null,                   -- the week after whose end the window opens
    opens_on date not null,
    renewal_type text not null check (renewal_type in ('auto', 'manual')),
    arr double precision not null,
    origin text not null check (origin in ('live', 'backfill')),
    primary key (subscription_id, renewal_date, renewal_window)
);
create index renewal_windows_by_week on cs.renewal_windows (week);
comment on table cs.renewal_windows is 'Windows before (and after) a renewal date that a subscription entered.';

-- Plays ---------------------------------------------------------------------------------------------------------------

create table cs.triggers (
    trigger_id bigint generated always as identity primary key,
    trigger_key text not null unique,     -- the stable cause, for ever
    kind text not null check (kind in ('score_change', 'renewal_window', 'alert', 'lifecycle', 'manual')),
    account_id text not null,
    subject_id text not null,             -- what it is about: the account, or the subscription
    week date,
    occurred_at timestamptz not null,
    anchor_on date not null,              -- day from which steps are counted
    facts jsonb not null
);
create index triggers_by_kind on cs.triggers (kind, trigger_id);
create index triggers_by_time on cs.triggers (kind, occurred_at);
comment on table cs.triggers is 'Causes that may start a play. A backfill never writes one.';

create table cs.playbooks (
    playbook text not null,
    playbook_version text not null,       -- content hash of the file
    definition jsonb not null,
    primary key (playbook, playbook_version)
);
comment on table cs.playbooks is 'Every version of every playbook that ever enrolled an account.';

create table cs.enrolments (
    enrolment_id bigint generated always as identity primary key,
    playbook text not null,
    playbook_version text not null,
    family text not null,
    account_id text not null,
    trigger_id bigint not null references cs.triggers,
    subject_id text not null,
    anchor_on date not null,
    status text not null check (status in ('active', 'completed', 'exited', 'refused')),
    reason text,                          -- why it was refused or exited
    enrolled_at timestamptz not null,
    ended_at timestamptz,
    unique (playbook, trigger_id),
    foreign key (playbook, playbook_version) references cs.playbooks,
    check ((status = 'active') = (ended_at is null))
);
create unique index one_active_enrolment_per_family on cs.enrolments (account_id, family) where status = 'active';
create index enrolments_by_account on cs.enrolments (account_id, enrolled_at);
comment on table cs.enrolments is
'One row per playbook and trigger: the account was enrolled, or refused with a reason.';

create table cs.actions (
    action_id bigint generated always as identity primary key,
    action_key text not null unique,      -- idempotency key that travels with the message
    enrolment_id bigint not null references cs.enrolments,
    playbook text not null,
    step text not null,
    account_id text not null,
    channel text not null check (channel in ('email', 'slack', 'crm')),
    role text not null,
    recipient text,                       -- address, Slack channel or assignee; null until one is known
    recipient_user_id text,
    intent text not null check (intent in ('inform', 'educate', 'ask', 'offer')),
    due_at timestamptz not null,
    expires_at timestamptz not null,      -- not taken by then: dropped as stale
    status text not null check (status in (
        'planned', 'awaiting_approval', 'claimed', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled'
    )),
    reason text,                          -- why it is not planned or sent
    detail text,                          -- the provider's words, or the error's, beside the reason
    delivery text check (delivery in ('capture', 'live')),
    attempts integer not null default 0,
    claimed_by text,
    lease_until timestamptz,
    sent_at timestamptz,
    provider_id text,
    check ((status = 'claimed') = (lease_until is not null))
);
create index actions_due on cs.actions (due_at) where status = 'planned';
create index actions_claimed on cs.actions (lease_until) where status = 'claimed';
create index actions_by_enrolment on cs.actions (enrolment_id);
create index actions_by_account on cs.actions (account_id, due_at);
comment on table cs.actions is 'The outbox: one row per step and recipient, and the only door to the outside.';

create table cs.action_attempts (
    attempt_id bigint generated always as identity primary key,
    action_id bigint not null references cs.actions,
    attempt integer not null,
    claimed_by text not null,
    claimed_at timestamptz not null,
    outcome text check (outcome in ('sent', 'retry', 'failed', 'uncertain', 'suppressed')),
    detail text,
    recorded_at timestamptz,
    unique (action_id, attempt)
);
comment on table cs.action_attempts is
'Every claim of an action and what came of it; an outcome still null was never recorded.';

create table cs.suppressions (
    address text not null,
    reason text not null check (reason in ('unsubscribed', 'bounced', 'spam', 'by_hand')),
    source text not null,
    since timestamptz not null,
    primary key (address, reason)
);
comment on table cs.suppressions is 'Addresses that get no mail, beside those in the source data.';

create table cs.kill_switches (
    scope text not null check (scope in ('everything', 'channel', 'playbook', 'account')),
    name text not null,                   -- '*' for everything
    reason text not null,
    set_by text not null,
    set_at timestamptz not null default clock_timestamp(),
    primary key (scope, name)
);
comment on table cs.kill_switches is 'What a person has stopped: everything, a channel, a playbook or an account.';

create table cs.captured_messages (
    action_key text primary key,
    channel text not null,
    recipient text not null,
    subject text not null,
    body_html text,
    body_text text not null,
    payload jsonb not null,
    path text,                            -- file under the captures folder
    captured_at timestamptz not null
);
comment on table cs.captured_messages is 'Messages that were captured instead of sent, as their reader would see them.';

create table cs.crm_tasks (
    task_id bigint generated always as identity primary key,
    external_id text not null unique,     -- the action key: creating twice changes nothing
    kind text not null check (kind in ('task', 'opportunity')),
    account_id text not null,
    title text not null,
    body text not null,
    assignee text not null,
    due_on date not null,
    priority text not null check (priority in ('low', 'normal', 'high', 'urgent')),
    status text not null default 'not_started' check (status in ('not_started', 'completed')),
    created_at timestamptz not null,
    completed_at timestamptz
);
comment on table cs.crm_tasks is 'CRM tasks and opportunities, where no CRM is connected.';
