-- Who takes what is due reads it in the order of these, and stops after a batch. All that was due was read and sorted
-- for each batch, and read whole to find that no notice was among it.
create index actions_due_in_order on cs.actions (due_at, action_id) where status = 'planned';
create index actions_due_of_notices on cs.actions (due_at, action_id)
where status = 'planned' and notice_id is not null;
drop index cs.actions_due;
