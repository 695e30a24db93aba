-- The floor: one week of `weekly_points` scores and their changes, written by hand for one psql session.
-- It reads the raw tables and computes the eight metrics of the model and nothing else: no roll-ups kept for later, no
-- other metrics, no tests, no explanation. Variables: as_of (a Monday), previous (the week before, as scored already).
\set ON_ERROR_STOP on
set time zone 'UTC';
set jit = off;
set work_mem = '256MB';

create temporary table floor_scores as
with active_subscriptions as (
    select account_id, sum(seats) filter (where not coalesce(is_addon, false)) as seats,
        min(renews_on) filter (
            where not coalesce(is_addon, false) and not coalesce(is_trial, false) and renews_on > started_on
        ) as renews_on
    from raw.subscriptions
    where started_on < :'as_of'::date and (ended_on is null or ended_on >= :'as_of'::date)
    group by account_id
),
known_events as materialized (
    select account_id, user_id, event_name, feature, occurred_at
    from raw.events
    where occurred_at >= :'as_of'::timestamptz - interval '30 days' and occurred_at < :'as_of'::timestamptz
        and coalesce(_loaded_at, occurred_at) < :'as_of'::timestamptz
),
activity as (
    select account_id, count(distinct user_id) as active_users,
        max((event_name = 'login' and occurred_at >= :'as_of'::timestamptz - interval '7 days')::integer) as logged_in
    from known_events group by account_id
),
core as (
    select account_id, count(distinct known_events.feature) as core_features
    from known_events inner join raw.features on features.feature = known_events.feature and features.is_core
    group by account_id
),
sent as (
    select message_id, account_id,
        row_number() over (partition by account_id order by min(occurred_at) desc, message_id desc) as nth
    from raw.email_events
    where event = 'sent' and occurred_at < :'as_of'::timestamptz
        and coalesce(_loaded_at, occurred_at) < :'as_of'::timestamptz
    group by message_id, account_id
),
opened as (
    select account_id, case when count(*) = 3 then min(was_opened) end as opened_last_3
    from (
        select sent.account_id, sent.message_id, max((opens.event is not null)::integer) as was_opened
        from sent
        left join raw.email_events as opens
            on opens.message_id = sent.message_id and opens.event = 'open'
            and opens.occurred_at < :'as_of'::timestamptz
            and coalesce(opens._loaded_at, opens.occurred_at) < :'as_of'::timestamptz
        where sent.nth <= 3
        group by sent.account_id, sent.message_id
    ) as last_three
    group by account_id
),
trained as (
    select distinct account_id from raw.event_attendance
    where kind in ('training', 'webinar') and coalesce(has_attended, true) and occurred_at < :'as_of'::timestamptz
        and coalesce(_loaded_at, occurred_at) < :'as_of'::timestamptz
),
nps as (
    select account_id, avg(10 * score / scale_max) as nps
    from (
        select distinct on (account_id, user_id) account_id, score, scale_max
        from raw.survey_responses
        where survey = 'nps' and responded_at < :'as_of'::timestamptz
            and responded_at >= :'as_of'::timestamptz - interval '180 days'
            and coalesce(_loaded_at, responded_at) < :'as_of'::timestamptz
        order by account_id, user_id, responded_at desc, response_id desc
    ) as latest group by account_id
),
open_tickets as (
    select account_id, max(case when priority = 'critical' then 2 else 1 end) as worst
    from raw.tickets
    where created_at < :'as_of'::timestamptz and (resolved_at is null or resolved_at >= :'as_of'::timestamptz)
    group by account_id
),
metrics as (
    select weeks.account_id,
        coalesce(activity.active_users, 0)::double precision / nullif(active_subscriptions.seats, 0) as utilisation,
        coalesce(core.core_features, 0) as core_features,
        coalesce(activity.logged_in, 0) as logged_in,
        opened.opened_last_3,
        (trained.account_id is not null)::integer as trained,
        active_subscriptions.renews_on - :'as_of'::date as days_to_renewal,
        nps.nps,
        coalesce(open_tickets.worst, 0) as worst
    from (
        select accounts.account_id from raw.accounts
        inner join active_subscriptions on active_subscriptions.account_id = accounts.account_id
        where accounts.created_at < :'as_of'::timestamptz
            and (accounts.churned_at is null or accounts.churned_at >= :'as_of'::timestamptz)
    ) as weeks
    left join active_subscriptions using (account_id)
    left join activity using (account_id)
    left join core using (account_id)
    left join opened using (account_id)
    left join trained using (account_id)
    left join nps using (account_id)
    left join open_tickets using (account_id)
),
points as (
    select account_id,
        case when utilisation >= 0.8 then 20 when utilisation >= 0.5 then 10 when utilisation is not null then 0 end as p1,
        case when core_features >= 3 then 20 when core_features = 2 then 10 else 0 end as p2,
        10 * logged_in as p3,
        10 * opened_last_3 as p4,
        10 * trained as p5,
        case when days_to_renewal > 90 then 20 when days_to_renewal >= 30 then 10 when days_to_renewal < 30 then 5 end as p6,
        case when nps > 8 then 20 when nps >= 7 then 10 when nps < 7 then 0 end as p7,
        case worst when 0 then 10 when 1 then 5 else 0 end as p8
    from metrics
)
select
    account_id,
    array[p1, p2, p3, p4, p5, p6, p7, p8]::double precision[] as points,
    coalesce(p1 + p2, p1, p2, 0) + coalesce(p3, 0) + coalesce(p4, 0) + coalesce(p5, 0)
    + least(20, coalesce(p6, 0) + coalesce(p7, 0)) + coalesce(p8, 0) as earned,
    case when p1 is null then 20 else 40 end + 20 + case when p4 is null then 0 else 10 end
    + case when p6 is null and p7 is null then 0 else 20 end + 10 as possible
from points;

drop table if exists benchmark_floor;
create table benchmark_floor as
select
    floor_scores.account_id,
    floor_scores.points,
    100.0::double precision * earned / possible as score,
    100.0::double precision * earned / possible - previous.score as delta
from floor_scores
left join cs.health_scores as previous
    on previous.account_id = floor_scores.account_id and previous.week = :'previous'::date and previous.is_active;

select count(*) as scores from benchmark_floor;
