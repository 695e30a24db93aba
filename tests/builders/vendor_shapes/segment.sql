-- The events of schema `original`, as Segment lands them. An event that stands for several equal ones is so many calls.
create schema segment;

create table segment.groups as
select 'g-' || user_id as id, user_id, account_id as group_id, created_at as timestamp, created_at as received_at
from original.users;

create temporary table calls as
select event_id || case when n > 1 then '-' || n else '' end as id, events.account_id, events.user_id, occurred_at,
    event_name, feature, page, duration_seconds, coalesce(events._loaded_at, occurred_at) as received_at,
    users.account_id is distinct from events.account_id as is_stranger
from original.events
left join original.users on events.user_id = users.user_id
cross join lateral generate_series(1, case when feature is null then coalesce(quantity, 1) else 1 end::integer) as n;

create table segment.pages as
select id, user_id, page as path, occurred_at as timestamp, received_at,
    case when is_stranger then account_id end as context_group_id
from calls where event_name = 'page_view';

create table segment.tracks as
select id, user_id, event_name as event, occurred_at as timestamp, received_at,
    case when is_stranger then account_id end as context_group_id
from calls where event_name <> 'page_view';

-- A table of each event that has properties.
create table segment.click as
select id, user_id, event_name as event, page as button, received_at from calls where event_name = 'click';
create table segment.login as
select id, user_id, event_name as event, duration_seconds, received_at from calls where event_name = 'login';
create table segment.used as
select calls.id, calls.user_id, calls.event_name as event, calls.feature, events.quantity, calls.received_at
from calls inner join original.events on calls.id = events.event_id
where calls.feature is not null and calls.event_name <> 'page_view';
