-- Whether a rule has no data because nobody ever fed the tables that it needs, and room in the pages of alerts.

alter table cs.alert_evaluations
add column is_absent boolean not null default false; -- no_data: each input that is not fresh has no row at all

-- Every alert is written again soon after it began, when it is told or held and when it ends: with room in its page
-- the indexes stay as they are.
alter table cs.alerts set (fillfactor = 45);
