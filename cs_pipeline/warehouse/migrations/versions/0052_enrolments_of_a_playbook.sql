-- Every batch asks how many accounts its playbook has enrolled within a day.
create index enrolments_by_playbook on cs.enrolments (playbook, enrolled_at);
