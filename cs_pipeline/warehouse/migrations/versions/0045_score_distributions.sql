create table cs.score_distributions (
    week date not null,
    model text not null,
    model_version text not null,
    metric text not null,
    bin smallint not null check (bin between -1 and 10),
    accounts integer not null,
    primary key (week, model, model_version, metric, bin)
);
comment on table cs.score_distributions is
'How many accounts had which part of the points of each metric of a model version in a week, and which score: what '
'drift is measured by. A week that is scored again is counted again.';
comment on column cs.score_distributions.metric is 'A metric of the model, or `score`.';
comment on column cs.score_distributions.bin is
'Tenths of the metric''s points, 0 to 10; of the score, tens; -1 where it is not known.';
