-- What people answer to messages in Slack, by its buttons: each answer of a message once, whoever clicks how often.
create table cs.slack_answers (
    action_key text not null,
    verb text not null check (verb in ('acknowledge', 'snooze', 'not_a_risk', 'approve', 'hold', 'done')),
    answered_by text not null,
    answered_at timestamptz not null,
    reason text,
    primary key (action_key, verb)
);
comment on table cs.slack_answers is 'What was decided about a message by its buttons in Slack.';
comment on column cs.slack_answers.action_key is 'The action of cs.actions that the message was.';
comment on column cs.slack_answers.answered_by is 'Address of who clicked, as Slack knows it.';

alter table cs.notices add column answers text[] not null default '{}';
comment on column cs.notices.answers is 'Which buttons it has where Slack is answered.';
