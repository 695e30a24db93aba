with weeks as (
    select
        week,
        week + 7 as as_of_day,
        sees_ahead
    from (values {weeks}) as listed (week, sees_ahead)
),

range as (
    select
        min(week) as first_day,
        max(as_of_day) + {furthest} + 7 as last_day
    from weeks
),

terms as (
    select
        terms.*,
        accounts.churned_at
    from marts.fct_subscription_terms as terms
    inner join marts.dim_accounts as accounts on terms.account_id = accounts.account_id
    where
        terms.renews_on is not null
        and not terms.is_addon
        and not terms.is_trial
),

-- Each renewal of a term with the day on which the time before it began.
renewals as (
    select
        terms.*,
        terms.renews_on as renewal_date,
        terms.started_on as since
    from terms
    union all
    select
        terms.*,
        (terms.renews_on + make_interval(months => terms.renews_every_months * laps.nth))::date,
        (terms.renews_on + make_interval(months => terms.renews_every_months * (laps.nth - 1)))::date
    from terms
    cross join range
    cross join
        lateral
        generate_series(
            greatest(1, (range.first_day - terms.renews_on) / (31 * terms.renews_every_months)),
            (range.last_day - terms.renews_on) / (28 * terms.renews_every_months) + 1
        ) as laps (nth)
    where
        terms.renews_every_months is not null
        and (terms.held_until is null or terms.held_until > range.first_day)
),

ahead as (
    select
        renewals.*,
        days.days::text as renewal_window,
        renewals.renewal_date - days.days as opens_on,
        weeks.week,
        weeks.as_of_day,
        weeks.sees_ahead
    from renewals
    cross join unnest(array[{days}]) as days (days)
    inner join weeks on date_trunc('week', (renewals.renewal_date - days.days)::timestamp)::date = weeks.as_of_day
    where
        renewals.renewal_date - days.days >= renewals.since
        and (renewals.ended_on is null or renewals.ended_on >= weeks.as_of_day)
),

overdue as (
    select
        renewals.*,
        'overdue' as renewal_window,
        weeks.as_of_day as opens_on,
        weeks.week,
        weeks.as_of_day,
        weeks.sees_ahead
    from renewals
    inner join weeks on date_trunc('week', renewals.renewal_date::timestamp)::date = weeks.week
    where
        renewals.renewal_type = 'manual'
        and (renewals.ended_on is null or renewals.ended_on >= renewals.renewal_date - 1)
        and (renewals.moved_on is null or renewals.moved_on >= weeks.as_of_day)
),

windows as (
    select * from ahead
    union all
    select * from overdue
)

select
    subscription_id,
    renewal_date,
    renewal_window,
    account_id,
    week,
    opens_on,
    renewal_type,
    coalesce(mrr, 0) * 12 as arr
from windows
where
    started_on < as_of_day
    and (successor_started_on is null or successor_started_on >= as_of_day)
    and (successor_known_on is null or successor_known_on >= as_of_day)
    and (not sees_ahead or successor_started_on is null)
    and (not sees_ahead or ended_on is null or ended_on < as_of_day or ended_on > renewal_date + 1)
    and (churned_at is null or churned_at >= as_of_day::timestamp at time zone 'UTC')
