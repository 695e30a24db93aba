-- What each delivery, each refused message and each look at the figures asks of late: it read all there ever was.
create index actions_sent on cs.actions (channel, sent_at) where status = 'sent';
create index actions_expiring on cs.actions (expires_at) where status in ('planned', 'awaiting_approval');
create index actions_stale on cs.actions (expires_at) where reason in ('stale', 'missed');
create index enrolments_active on cs.enrolments (enrolment_id) where status = 'active';
create index notices_by_time on cs.notices (created_at);
create index captured_messages_by_time on cs.captured_messages (captured_at desc, action_key);

-- With all that the figures ask of what is stuck, so that they need not look at each action that ever failed.
drop index cs.actions_stuck;
create index actions_stuck on cs.actions (status, channel, due_at, notice_id) where status in ('uncertain', 'failed');
