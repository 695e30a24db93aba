-- The page of playbooks counts who is in each play and who is held out: it read all enrolments there ever were. An
-- entry is written when an account enters or is held out; one that is over is not in it.
create index enrolments_counted on cs.enrolments (playbook, status, reason)
where status = 'active' or reason = 'hold_out';
