-- Week by week, the newest last: tickets opened, how soon they were answered, and how content customers were with what
-- was resolved. A ticket that nobody has answered waits until the week's end that the report is about.
with weeks as (
    select generate_series(
        %(first)s::date - 7 * (%(weeks)s - 1), %(first)s::date, interval '7 days'
    )::date as week
),

clocks as (
    select
        date_trunc('week', started_at at time zone 'UTC')::date as week,
        count(*) as opened,
        count(*) filter (where state = 'met') as met,
        count(*) filter (where state in ('met', 'breached')) as due,
        sum(hours) as hours,
        percentile_cont(0.5) within group (order by hours) as median_hours
    from support_clocks
    where is_now
    group by date_trunc('week', started_at at time zone 'UTC')::date
),

answers as (
    select
        date_trunc('week', resolved_at at time zone 'UTC')::date as week,
        count(*) as answers,
        count(*) filter (where csat >= 0.8 * csat_scale) as satisfied,
        sum(csat / csat_scale::numeric) as satisfaction
    from staging.stg_tickets
    where
        resolved_at >= %(first)s::date - 7 * (%(weeks)s - 1)
        and resolved_at < %(as_of)s::timestamptz
        and csat is not null
        and csat_scale > 0
        and coalesce(_loaded_at < %(as_of)s::timestamptz, true)
    group by date_trunc('week', resolved_at at time zone 'UTC')::date
)

select
    weeks.week,
    clocks.median_hours,
    coalesce(clocks.opened, 0) as opened,
    coalesce(clocks.met, 0) as met,
    coalesce(clocks.due, 0) as due,
    coalesce(clocks.hours, 0) as hours,
    coalesce(answers.answers, 0) as answers,
    coalesce(answers.satisfied, 0) as satisfied,
    coalesce(answers.satisfaction, 0) as satisfaction
from weeks
left join clocks on weeks.week = clocks.week
left join answers on weeks.week = answers.week
order by weeks.week
