-- Several models side by side, dimensions, risks and opportunities, overrides, held scores, steady bands -------------

create table cs.score_overrides (
    override_id bigint generated always as identity primary key,
    account_id text not null,
    score double precision check (score between 0 and 100),
    band text,
    reason text not null check (reason <> ''),
    set_by text not null check (set_by <> ''),
    set_at timestamptz not null,
    from_week date not null,              -- first week it counts for
    until_week date not null,             -- last one
    withdrawn_by text,
    withdrawn_from date,                  -- first week it no longer counts for
    check (score is not null or band is not null),
    check (from_week <= until_week),
    check ((withdrawn_by is null) = (withdrawn_from is null))
);
create index score_overrides_by_account on cs.score_overrides (account_id, from_week);
comment on table cs.score_overrides is
'Scores and bands that a person set in place of the model: who, why, until when. Rows are never removed.';

alter table cs.health_scores
add column dimension_scores double precision[] not null default '{}', -- 0 to 100 each; null where nothing is known
add column risks text[] not null default '{}',
add column opportunities text[] not null default '{}',
add column carried text[],               -- metrics whose value is of an earlier week; null for none
add column model_score double precision,  -- what the model says, where a person said otherwise
add column model_band text,
add column override_id bigint references cs.score_overrides,
add column held_from date,                -- week whose score is held, because its sources are stale
add column weeks_in_band smallint,        -- only of models whose bands look back
add column leaning smallint,              -- weeks in a row towards a better (positive) or worse band, in vain
drop constraint health_scores_status_check,
add constraint health_scores_status_check check (status in ('scored', 'not_scored', 'held')),
drop constraint health_scores_check,
add constraint health_scores_check check (
    (status <> 'not_scored') = (score is not null and band is not null and severity is not null)
);

create table cs.parent_scores (
    week date not null,
    account_id text not null,             -- the parent
    model text not null,
    model_version text not null,
    roll_up text not null check (roll_up in ('arr', 'mean')),
    children integer not null,
    scored_children integer not null,
    arr double precision not null,        -- of all children
    score double precision,               -- null when no child has one
    band text,
    severity smallint,
    primary key (week, account_id, model, model_version)
);
comment on table cs.parent_scores is
'One row per week and parent account: the roll-up of its children''s active scores.';

create table cs.scored_weeks (
    week date not null,
    model text not null,
    model_version text not null,
    scored_at timestamptz not null default clock_timestamp(),
    newest_load_id bigint not null,       -- rows of later loads were not there
    primary key (week, model, model_version)
);
comment on table cs.scored_weeks is
'When each week was last scored, and what had been loaded by then: beside the scores, which hold no time.';
