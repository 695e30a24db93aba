-- What fired week by week, for the list of rules; what held before its rule was first asked is no part of it.
create index alerts_fired on cs.alerts (fired_at, rule) where not is_baseline;
