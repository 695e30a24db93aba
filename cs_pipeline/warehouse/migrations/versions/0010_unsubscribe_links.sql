-- Who unsubscribes by a link says which message it was about, not who they are.
create function cs.message_digest(action_key text) returns text
language sql immutable strict parallel safe
as $$ select left(encode(sha256(convert_to(action_key, 'UTF8')), 'hex'), 20) $$;
comment on function cs.message_digest is 'What an unsubscribe link says of its message (the parameter `message`).';

create index actions_by_digest on cs.actions (cs.message_digest(action_key))
where channel in ('email', 'sms', 'webhook') and recipient is not null;

create view cs.customer_mails as
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
    and role in ('point_of_contact', 'power_user', 'champion', 'executive_sponsor', 'primary');
comment on view cs.customer_mails is
'One row per mail or text message to a customer, by the digest that its unsubscribe link carries; for '
'unsubscribe pages.';
