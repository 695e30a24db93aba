-- The tickets of schema `original`, as Fivetran lands them of Zendesk.
create schema zendesk;

create table zendesk.organization as
select row_number() over (order by account_id) as id, account_name as name, account_id as external_id, created_at
from original.accounts;

create table zendesk."user" as
select 1000 + row_number() over (order by user_id) as id, user_id as external_id, email, full_name as name,
    'end-user' as role, organization.id as organization_id, users.created_at, users.created_at as updated_at,
    true as active, false as suspended
from original.users
inner join zendesk.organization on users.account_id = organization.external_id
union all
select 1, null, 'agent@us.example', 'Agnes', 'agent', null, '2020-01-01', '2020-01-01', true, false;

create temporary table numbered_tickets as
select row_number() over (order by ticket_id) as id, * from original.tickets;

create table zendesk.ticket as
select numbered_tickets.id, numbered_tickets.created_at, coalesce(resolved_at, numbered_tickets.created_at) as updated_at,
    case when resolved_at is null then 'open' else 'solved' end as status,
    case priority when 'critical' then 'urgent' else priority end as priority, subject,
    case kind when 'bug' then 'incident' when 'question' then 'question' else 'task' end as type,
    organization.id as organization_id, people.id as requester_id, people.id as submitter_id, '[]' as merged_ticket_ids
from numbered_tickets
inner join zendesk.organization on numbered_tickets.account_id = organization.external_id
left join zendesk."user" as people on numbered_tickets.user_id = people.external_id;

create table zendesk.ticket_comment as
select id, id as ticket_id, 1 as user_id, first_responded_at as created, true as public
from numbered_tickets where first_responded_at is not null;

create table zendesk.ticket_field_history as
select id as ticket_id, 'status' as field_name, created_at as updated, 'new' as value from numbered_tickets
union all
select id, 'status', resolved_at, 'solved' from numbered_tickets where resolved_at is not null
union all
select id, 'satisfaction_score', resolved_at, case when csat / csat_scale > 0.5 then 'good' else 'bad' end
from numbered_tickets where csat is not null;
