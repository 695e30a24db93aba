-- The likelihood of leaving beside the score --------------------------------------------------------------------------

create table cs.score_outcomes (
    week date not null,
    model text not null,
    model_version text not null,
    score smallint not null check (score between 0 and 100),
    observations integer not null,
    departures integer not null check (departures between 0 and observations),
    primary key (week, model, model_version, score)
);
comment on table cs.score_outcomes is
'What became within 90 days of accounts with each whole score: each account is looked at once in 13 weeks. '
'Counted when the windows of a week had closed; a week that is scored again is counted again.';
comment on column cs.score_outcomes.score is 'Whole score of the model: 63.7 counts as 63.';
comment on column cs.score_outcomes.observations is 'Accounts that were looked at.';
comment on column cs.score_outcomes.departures is 'Those of them that left within 90 days of the week''s end.';

create table cs.score_calibrations (
    week date not null,
    model text not null,
    model_version text not null,
    observations integer not null,
    departures integer not null,
    learned_from date,
    learned_to date,
    score_from double precision[],
    likelihood double precision[],
    low double precision[],
    high double precision[],
    step_observations integer[],
    step_departures integer[],
    primary key (week, model, model_version)
);
comment on table cs.score_calibrations is
'How likely accounts were to leave within 90 days, by score, as stated at the end of a week: one row per model version '
'and week, learned from windows that had closed by then. Arrays are steps from the lowest scores to the highest.';
comment on column cs.score_calibrations.observations is 'Accounts looked at, each once in 13 weeks.';
comment on column cs.score_calibrations.departures is
'Those that left in 90 days. With fewer than 20 nothing is stated.';
comment on column cs.score_calibrations.learned_from is 'First week that was learned from; null where there is none.';
comment on column cs.score_calibrations.learned_to is 'Last week that was learned from.';
comment on column cs.score_calibrations.score_from is 'Lowest score of each step; null where too few left to say.';
comment on column cs.score_calibrations.likelihood is 'Of leaving within 90 days; falls from step to step.';
comment on column cs.score_calibrations.low is 'Lower end of its 95 % interval.';
comment on column cs.score_calibrations.high is 'Upper end of its 95 % interval.';

create or replace view cs.active_scores as
select
    scores.*, -- noqa: AM04
    scores.severity >= coalesce((models.definition ->> 'at_risk_from')::integer, 2) as is_at_risk,
    calibrations.likelihood[
        width_bucket(
            case when scores.override_id is null then scores.score else scores.model_score end, calibrations.score_from
        )
    ] as likelihood,
    calibrations.low[
        width_bucket(
            case when scores.override_id is null then scores.score else scores.model_score end, calibrations.score_from
        )
    ] as likelihood_low,
    calibrations.high[
        width_bucket(
            case when scores.override_id is null then scores.score else scores.model_score end, calibrations.score_from
        )
    ] as likelihood_high
from cs.health_scores as scores
left join cs.score_models as models
    on scores.model = models.model and scores.model_version = models.model_version
left join cs.score_calibrations as calibrations
    on
        scores.week = calibrations.week
        and scores.model = calibrations.model
        and scores.model_version = calibrations.model_version
where scores.is_active;
comment on column cs.active_scores.likelihood is
'Likelihood that the account leaves within 90 days of the week''s end, by its model''s score; null where too few left '
'for the model to say.';
comment on column cs.active_scores.likelihood_low is 'Lower end of the 95 % interval of likelihood.';
comment on column cs.active_scores.likelihood_high is 'Upper end of the 95 % interval of likelihood.';

alter table cs.renewal_forecasts add column leaves double precision check (leaves between 0 and 1);
comment on column cs.renewal_forecasts.leaves is
'Likelihood that the account leaves within 90 days, by its score; where it is null, earlier renewals of the same band '
'were learned from instead of those as likely to leave.';
