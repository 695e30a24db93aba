-- Where no renewal was settled yet, nothing is known of how likely one is.
alter table cs.renewal_forecasts alter column likelihood drop not null;
alter table cs.renewal_forecasts alter column low drop not null;
alter table cs.renewal_forecasts alter column high drop not null;

-- Nothing wrote calls before: the table is empty. What renews by itself renews again, and each renewal is called anew.
alter table cs.renewal_calls add column renewal_date date not null;
drop index cs.renewal_calls_subscription_id_called_at_idx;
create index on cs.renewal_calls (subscription_id, renewal_date, called_at);
