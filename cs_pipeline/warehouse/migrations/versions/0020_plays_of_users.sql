-- An alert may be about one user, and its play writes to that user: another user has a play of their own.
alter table cs.enrolments add column user_id text; -- null: the play is about the account, or a subscription of it

drop index cs.one_active_enrolment_per_family;
create unique index one_active_enrolment_per_family
on cs.enrolments (account_id, family, coalesce(subscription_id, ''), coalesce(user_id, '')) where status = 'active';

-- Its mails are mails to customers, with the same caps and unsubscribe links.
create or replace view cs.customer_mails as
select
    cs.message_digest(action_key) as digest,
    recipient as address,
    account_id,
    playbook,
    step,
    action_key,
    sent_at
from cs.actions
where
    channel in ('email', 'sms', 'webhook')
    and recipient is not null
    and role in ('point_of_contact', 'power_user', 'champion', 'executive_sponsor', 'user', 'primary');
