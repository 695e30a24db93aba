-- Whom the score model calls at risk: in lists as in KPIs and reports (cs.active_scores) -----------------------------

alter table cs.account_overview add column is_at_risk boolean not null default false;
update cs.account_overview as overview
set is_at_risk = scores.is_at_risk
from cs.active_scores as scores
where overview.account_id = scores.account_id and overview.week = scores.week and scores.is_at_risk;
comment on column cs.account_overview.is_at_risk is
'Whether the model of its score calls the account at risk (at_risk_from, C-10); false where it has no score.';
create index account_overview_at_risk on cs.account_overview (arr, account_id) where is_at_risk;

-- Lists of alerts ----------------------------------------------------------------------------------------------------

create index alerts_to_take on cs.alerts (severity, account_id)
where
state in ('firing', 'recovering')
and not is_held
and not is_baseline
and inhibited_by is null
and acknowledged_at is null;
create index alerts_open_by_time on cs.alerts (fired_at desc nulls last, alert_id desc)
where state in ('firing', 'recovering') and not is_held;
create index alerts_held on cs.alerts (rule) where state in ('firing', 'recovering') and is_held;
create index alerts_pending on cs.alerts (rule) where state = 'pending';
create index alerts_taken on cs.alerts (alert_id)
where state in ('pending', 'firing', 'recovering') and acknowledged_at is not null;
create index alerts_snoozed on cs.alerts (snoozed_until)
where state in ('pending', 'firing', 'recovering') and snoozed_until is not null;
