-- An alert may be about one user, and its play writes to that user: another user has a play of their own.
alter table cs.enrolments add column user_id text; -- null: the play is about the account, or a subscription of it

drop index cs.one_active_enrolment_per_family;
create unique index one_active_enrolment_per_family
on cs.enrolments (account_id, family, coalesce(subscription_id, ''), coalesce(user_id, '')) where status = 'active';
