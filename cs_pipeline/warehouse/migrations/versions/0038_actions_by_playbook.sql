-- The page of a playbook counts its actions by state and shows the next ones; whether sends stand still is asked of the
-- last minutes' attempts. Without these both read every action there ever was.
create index actions_by_playbook on cs.actions (playbook, status, due_at);
create index action_attempts_by_claim on cs.action_attempts (claimed_at);
