-- What a rule was told of before, asked at every look (plays.alerts).
create index alerts_by_rule on cs.triggers ((facts ->> 'rule'), account_id, subject_id, occurred_at)
where kind = 'alert';
