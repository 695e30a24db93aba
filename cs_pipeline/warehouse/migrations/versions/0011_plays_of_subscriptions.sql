-- Two contracts of one account may renew at once: a play about a subscription is in the way of that one's plays only.
alter table cs.enrolments add column subscription_id text; -- null: the play is about the account
update cs.enrolments
set subscription_id = enrolments.subject_id
from cs.triggers
where enrolments.trigger_id = triggers.trigger_id and triggers.kind = 'renewal_window';

drop index cs.one_active_enrolment_per_family;
create unique index one_active_enrolment_per_family
on cs.enrolments (account_id, family, coalesce(subscription_id, '')) where status = 'active';
