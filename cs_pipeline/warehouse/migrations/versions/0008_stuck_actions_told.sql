alter table cs.actions add column told_at timestamptz; -- when operations were told that it needs a person
create index actions_untold on cs.actions (action_id) where status in ('uncertain', 'failed') and told_at is null;
