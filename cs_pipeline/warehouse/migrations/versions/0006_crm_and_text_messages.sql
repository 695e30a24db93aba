alter table cs.actions drop constraint actions_channel_check;
alter table cs.actions add constraint actions_channel_check check (
    channel in ('email', 'slack', 'crm', 'sms', 'webhook')
);

drop index cs.actions_mailed;
create index actions_mailed on cs.actions (lower(recipient), coalesce(sent_at, due_at))
where channel in ('email', 'sms', 'webhook') and status in ('sent', 'claimed', 'uncertain');

alter table cs.crm_tasks add column completed_by text; -- who said so, where no CRM is connected

create table cs.crm_readings (
    action_key text primary key,
    status text not null check (status in ('open', 'completed', 'removed')),
    assignee text,                        -- address of its owner in the CRM; null where it has none
    due_on date,
    completed_at timestamptz,
    read_at timestamptz not null,
    check (status = 'completed' or completed_at is null)
);
comment on table cs.crm_readings is
'What a connected CRM last said of the tasks and opportunities that were created in it.';

-- A record that went to a CRM is named by its action's provider_id, as hubspot/task/123.
create view cs.task_status as
select
    external_id as action_key,
    'table' as crm,
    task_id::text as task_id,
    case status when 'completed' then 'completed' else 'open' end as status,
    assignee,
    due_on,
    completed_at,
    null::timestamptz as read_at,
    kind
from cs.crm_tasks
union all
select
    actions.action_key,
    split_part(actions.provider_id, '/', 1),
    split_part(actions.provider_id, '/', 3),
    coalesce(readings.status, 'open'),
    case when readings.action_key is null then actions.recipient else readings.assignee end,
    coalesce(readings.due_on, (actions.due_at at time zone 'UTC')::date),
    readings.completed_at,
    readings.read_at,
    split_part(actions.provider_id, '/', 2)
from cs.actions
left join cs.crm_readings as readings on actions.action_key = readings.action_key
where
    actions.channel = 'crm'
    and actions.status = 'sent'
    and actions.delivery = 'live'
    and actions.provider_id ~ '^(hubspot|salesforce)/';
comment on view cs.task_status is
'One row per CRM task or opportunity, wherever it is: open, completed or removed, whose, and as of when that was read.';
