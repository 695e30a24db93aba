-- The floor of a whole week: every metric of the mart, the scores of one model and their changes, and the same data
-- tests, in one psql session. {spine} and {mart} are the mart's own select and {checks} its tests, as dbt compiles them;
-- the roll-ups are sums of the new events alone. Nothing is kept for later, nothing is explained, and no other model is scored.
-- Variables: built (the newest load that the week before knew), previous (the week before, as scored already).
\set ON_ERROR_STOP on
set time zone 'UTC';
set jit = off;
set work_mem = '256MB';

create temporary table floor_user_days as
select account_id, coalesce(user_id, '') as user_id, cast(occurred_at as date) as activity_date, known_from,
    sum(quantity) as events,
    sum(quantity) filter (where event_name = 'login') as logins,
    sum(quantity) filter (where event_name = 'api_call') as api_calls,
    sum(quantity) filter (where event_name = 'page_view') as page_views,
    sum(quantity) filter (where event_name = 'doc_view') as doc_views,
    sum(quantity) filter (where event_name = 'campaign_sent') as campaigns_sent,
    sum(quantity) filter (where event_name = 'community_post') as community_posts,
    sum(quantity) filter (where event_name = 'automation_created') as automations_created,
    sum(quantity) filter (where event_name = 'automation_deactivated') as automations_deactivated,
    sum(quantity) filter (where event_name = 'page_view' and page = 'error') as error_page_views,
    sum(quantity) filter (where event_name = 'page_view' and page = 'pricing') as pricing_page_views,
    sum(quantity) filter (where event_name = 'click' and page = 'upgrade') as upgrade_clicks,
    sum(duration_seconds) as duration_seconds
from staging.stg_events
where _load_id > :built
group by 1, 2, 3, 4;

create temporary table floor_feature_days as
select account_id, feature, cast(occurred_at as date) as activity_date, known_from, sum(quantity) as uses
from staging.stg_events
where _load_id > :built and feature is not null
group by 1, 2, 3, 4;

-- As the mart itself is planned: its parts have no statistics, and a planner that takes one for a single row loops.
set enable_nestloop = off;
set enable_mergejoin = off;
set enable_sort = off;

create temporary table floor_spine as
select * from (
{spine}
) as compiled;

analyze floor_spine;

create temporary table floor_weeks as
select * from (
{mart}
) as compiled;

reset enable_nestloop;
reset enable_mergejoin;
reset enable_sort;

drop table if exists benchmark_floor;
create table benchmark_floor as
with points as (
    select account_id,
        case when seat_utilisation >= 0.8 then 20 when seat_utilisation >= 0.5 then 10
            when seat_utilisation is not null then 0 end as p1,
        case when core_features_used >= 3 then 20 when core_features_used = 2 then 10 else 0 end as p2,
        10 * logged_in_7d as p3,
        10 * opened_last_3_emails as p4,
        10 * attended_training_ever as p5,
        case when days_to_renewal > 90 then 20 when days_to_renewal >= 30 then 10
            when days_to_renewal < 30 then 5 end as p6,
        case when nps_response > 8 then 20 when nps_response >= 7 then 10 when nps_response < 7 then 0 end as p7,
        case worst_open_ticket when 0 then 10 when 1 then 5 else 0 end as p8
    from floor_weeks
),
scores as (
    select account_id,
        array[p1, p2, p3, p4, p5, p6, p7, p8]::double precision[] as points,
        100.0::double precision * (coalesce(p1 + p2, p1, p2, 0) + coalesce(p3, 0) + coalesce(p4, 0) + coalesce(p5, 0)
        + least(20, coalesce(p6, 0) + coalesce(p7, 0)) + coalesce(p8, 0))
        / (case when p1 is null then 20 else 40 end + 20 + case when p4 is null then 0 else 10 end
        + case when p6 is null and p7 is null then 0 else 20 end + 10) as score
    from points
)
select scores.account_id, scores.points, scores.score, scores.score - previous.score as delta
from scores
left join cs.health_scores as previous
    on previous.account_id = scores.account_id and previous.week = :'previous'::date and previous.is_active;

{checks}
