-- What waits for people, in the order in which it is shown ----------------------------------------------------------

create index alerts_open_by_severity on cs.alerts (severity, account_id)
where state in ('firing', 'recovering') and not is_held;
create index actions_to_approve on cs.actions (due_at, action_id) where status = 'awaiting_approval';
create index crm_tasks_open on cs.crm_tasks (due_on, task_id) where status <> 'completed' and kind = 'task';
