{{ config(materialized='ephemeral', tags=['weekly']) }}

with

account_weeks as (

    select
        account_id,
        week,
        tenure_days,
        seats
    from {{ ref('int_account_weeks_spined') }}

),

days as (

    {{ days_of_weeks(90) }}

),

-- A period is a run of days that no window of any week cuts, named by its first day. Days are summed into periods
-- first and periods are given to weeks then: exact by day, with far fewer rows.
period_days as (

    select
        day,
        max(day) filter (where is_cut) over (order by day) as period
    from (
        select
            day,
            bool_or(age in (7, 30, 60, 90)) as is_cut
        from days
        group by day
    ) as cuts

),

account_periods as (

    select
        daily.account_id,
        period_days.period,
        {{ known_in_range('daily.known_from') }} as counts_from,
        sum(daily.events) as events,
        sum(daily.logins) as logins,
        sum(daily.api_calls) as api_calls,
        sum(daily.campaigns_sent) as campaigns_sent,
        sum(daily.community_posts) as community_posts,
        -- Whole milliseconds: their sum does not depend on the order of the rows.
        sum(round(daily.duration_seconds * 1000)) as milliseconds,
        -- One bit a day, so that days with a login can be counted once over users and periods.
        bit_or(1 << (daily.activity_date - period_days.period)) filter (where daily.logins > 0) as login_days,
        max(daily.activity_date) filter (where daily.logins > 0) as last_login_on,
        max(daily.activity_date) filter (where daily.events > 0) as last_use_on
    from {{ ref('int_user_activity_daily') }} as daily
    inner join period_days on daily.activity_date = period_days.day
    where
        daily.activity_date >= {{ first_as_of_day() }} - 90
        and daily.activity_date < {{ last_as_of_day() }}
        and {{ is_known('daily.known_from', last_as_of_day()) }}
        and {{ of_accounts_in_scope('daily.account_id') }}
    group by daily.account_id, period_days.period, counts_from

),

activity as (

    select
        account_periods.account_id,
        days.week,
        sum(account_periods.events) filter (where days.age <= 7) as events_7d,
        sum(account_periods.events) filter (where days.age <= 30) as events_30d,
        sum(account_periods.events) filter (where days.age > 30 and days.age <= 60) as events_previous_30d,
        sum(account_periods.logins) filter (where days.age <= 7) as logins_7d,
        sum(account_periods.api_calls) filter (where days.age <= 30) as api_calls_30d,
        sum(account_periods.campaigns_sent) filter (where days.age <= 30) as campaigns_sent_30d,
        sum(account_periods.community_posts) as community_posts_90d,
        sum(account_periods.milliseconds) filter (where days.age <= 7) as milliseconds_7d,
        sum(account_periods.milliseconds) filter (where days.age <= 30) as milliseconds_30d,
        bit_count(
            cast(
                bit_or(account_periods.login_days << (30 - days.age)) filter (where days.age <= 30) as bit(32)
            )
        ) as login_days_30d,
        cast(days.as_of_day - max(account_periods.last_login_on) - 1 as double precision) as days_since_last_login,
        cast(days.as_of_day - max(account_periods.last_use_on) - 1 as double precision) as days_since_last_use
    from account_periods
    inner join days
        on
            account_periods.period = days.day
            and {{ is_known('account_periods.counts_from', 'days.as_of_day') }}
    group by account_periods.account_id, days.week, days.as_of_day

),

user_periods as (

    select
        daily.account_id,
        daily.user_id,
        period_days.period,
        {{ known_in_range('daily.known_from') }} as counts_from,
        sum(daily.events) as events
    from {{ ref('int_user_activity_daily') }} as daily
    inner join period_days on daily.activity_date = period_days.day
    where
        daily.activity_date >= {{ first_as_of_day() }} - 30
        and daily.activity_date < {{ last_as_of_day() }}
        and daily.user_id != ''
        and daily.events > 0
        and {{ is_known('daily.known_from', last_as_of_day()) }}
        and {{ of_accounts_in_scope('daily.account_id') }}
    group by daily.account_id, daily.user_id, period_days.period, counts_from

),

user_activity as{{ table_where_spread() }} (

    select
        user_periods.account_id,
        user_periods.user_id,
        days.week,
        sum(user_periods.events) as events_30d,
        min(days.age) <= 7 as is_active_7d
    from user_periods
    inner join days
        on
            user_periods.period = days.day
            and days.age <= 30
            and {{ is_known('user_periods.counts_from', 'days.as_of_day') }}
    group by user_periods.account_id, user_periods.user_id, days.week

),

active_users as{{ table_where_spread() }} (

    select
        account_id,
        week,
        cast(count(*) as double precision) as active_users_30d,
        cast(count(*) filter (where is_active_7d) as double precision) as active_users_7d,
        max(events_30d) as most_events_30d
    from user_activity
    group by account_id, week

),

-- Not the first of an ordered array: that would sort every user of every week.
power_users as (

    select
        user_activity.account_id,
        user_activity.week,
        min(user_activity.user_id) as power_user_id
    from user_activity
    inner join active_users
        on
            user_activity.account_id = active_users.account_id
            and user_activity.week = active_users.week
            and user_activity.events_30d = active_users.most_events_30d
    group by user_activity.account_id, user_activity.week

),

users_present as (

    select
        users.account_id,
        present.week,
        cast(count(*) as double precision) as users_total
    from {{ ref('stg_users') }} as users
    {{ weeks_while(utc_day('users.created_at'), utc_day('users.deleted_at'), 'present') }}
    where {{ of_accounts_in_scope('users.account_id') }}
    group by users.account_id, present.week

),

-- Automations live until they are deactivated, so all history counts. A partial index holds the few days with one.
automation_changes as (

    select
        daily.account_id,
        {{ counts_from('daily.activity_date', 'daily.known_from') }} - 7 as counts_from_week,
        sum(daily.automations_created - daily.automations_deactivated) as net_created
    from {{ ref('int_user_activity_daily') }} as daily
    where
        (daily.automations_created > 0 or daily.automations_deactivated > 0)
        and daily.activity_date < {{ last_as_of_day() }}
        and {{ of_accounts_in_scope('daily.account_id') }}
    group by daily.account_id, counts_from_week

),

automations as (

    select
        automation_changes.account_id,
        counted.week,
        greatest(sum(automation_changes.net_created), 0) as active_automations
    from automation_changes
    {{ weeks_while('automation_changes.counts_from_week', 'null', 'counted') }}
    group by automation_changes.account_id, counted.week

),

-- A company that has no user anywhere, neither in its table of users nor on any event, does not know how many there
-- are. Where it knows some, an account without any has none. Of all accounts, whatever the scope.
people as{{ table_where_spread() }} (

    select
        exists (select 1 from {{ ref('stg_users') }} {{ where_spread('limit 1') }})
        or exists (
            select 1
            from {{ ref('int_user_activity_daily') }} as daily
            where daily.user_id != '' {{ where_spread('limit 1') }}
        ) as are_known

),

usage as (

    select
        account_weeks.account_id,
        account_weeks.week,
        case
            when (select people.are_known from people) then coalesce(active_users.active_users_7d, 0)
        end as active_users_7d,
        case
            when (select people.are_known from people) then coalesce(active_users.active_users_30d, 0)
        end as active_users_30d,
        case
            when (select people.are_known from people) then coalesce(users_present.users_total, 0)
        end as users_total,
        case
            when (select people.are_known from people)
                then coalesce(active_users.active_users_30d, 0) / nullif(account_weeks.seats, 0)
        end as seat_utilisation,
        cast(coalesce(activity.login_days_30d, 0) as double precision) as login_days_30d,
        coalesce(activity.login_days_30d, 0) / cast(30 as double precision) as login_frequency,
        cast(coalesce(activity.logins_7d, 0) as double precision) as logins_7d,
        cast(case when activity.logins_7d > 0 then 1 else 0 end as double precision) as logged_in_7d,
        coalesce(activity.days_since_last_login, least(account_weeks.tenure_days - 1, 90)) as days_since_last_login,
        coalesce(activity.days_since_last_use, least(account_weeks.tenure_days - 1, 90)) as days_since_last_use,
        cast(coalesce(activity.events_7d, 0) as double precision) as events_7d,
        cast(coalesce(activity.events_30d, 0) as double precision) as events_30d,
        cast(coalesce(activity.events_previous_30d, 0) as double precision) as events_previous_30d,
        cast(coalesce(activity.events_30d, 0) as double precision)
        / nullif(account_weeks.seats, 0) as events_per_seat_30d,
        cast(
            coalesce(activity.events_30d, 0) / nullif(activity.events_previous_30d, 0) - 1 as double precision
        ) as usage_growth,
        cast(coalesce(activity.api_calls_30d, 0) as double precision) as api_calls_30d,
        cast(coalesce(activity.campaigns_sent_30d, 0) as double precision) as campaigns_sent_30d,
        cast(coalesce(automations.active_automations, 0) as double precision) as active_automations,
        cast(coalesce(activity.milliseconds_7d, 0) / 60000 as double precision) as minutes_7d,
        cast(coalesce(activity.milliseconds_30d, 0) / 60000 as double precision) as minutes_30d,
        cast(coalesce(activity.community_posts_90d, 0) as double precision) as community_posts_90d,
        power_users.power_user_id
    from account_weeks
    left join activity
        on account_weeks.account_id = activity.account_id and account_weeks.week = activity.week
    left join active_users
        on account_weeks.account_id = active_users.account_id and account_weeks.week = active_users.week
    left join power_users
        on account_weeks.account_id = power_users.account_id and account_weeks.week = power_users.week
    left join users_present
        on account_weeks.account_id = users_present.account_id and account_weeks.week = users_present.week
    left join automations
        on account_weeks.account_id = automations.account_id and account_weeks.week = automations.week

)

select * from usage
