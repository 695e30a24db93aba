-- Rules as they were evaluated last, what is open of each, and what it fired week by week (see rule_list.py).
with rules as (
    select unnest(%(rules)s::text[]) as rule
),

newest as (
    {newest_evaluations}
),

watched as (
    select
        rules.rule,
        (
            select min(alert_evaluations.as_of)
            from cs.alert_evaluations
            where alert_evaluations.rule = rules.rule
        ) as since
    from rules
),

-- Once a rule, and not once a row of the join below.
open_ones as materialized (
    select
        rules.rule,
        (
            select count(*)::integer
            from (
                select 1
                from cs.alerts as alerts
                where
                    alerts.rule = rules.rule
                    and alerts.state in ('pending', 'firing', 'recovering')
                    and alerts.state <> 'pending'
                    and not alerts.is_held
                limit %(counted)s  -- noqa: AM09
            ) as counted
        ) as open,
        (
            select count(*)::integer
            from (
                select 1
                from cs.alerts as alerts
                where alerts.rule = rules.rule and alerts.state in ('firing', 'recovering') and alerts.is_held
                limit %(counted)s  -- noqa: AM09
            ) as counted
        ) as held
    from rules
),

fired as (
    select
        rule,
        floor(extract(epoch from %(until)s::timestamptz - fired_at) / (7 * 86400))::integer as weeks_ago,
        count(*)::integer as alerts
    from cs.alerts
    where fired_at > %(since)s and fired_at <= %(until)s and not is_baseline
    group by rule, weeks_ago
),

by_week as (
    select
        rules.rule,
        array_agg(coalesce(fired.alerts, 0) order by weeks.weeks_ago desc) as weekly
    from rules
    cross join generate_series(0, %(weeks)s - 1) as weeks (weeks_ago)
    left join fired on rules.rule = fired.rule and weeks.weeks_ago = fired.weeks_ago
    group by rules.rule
)

select
    by_week.rule,
    newest.health,
    newest.as_of as evaluated_for,
    newest.evaluated_at,
    newest.error,
    newest.is_absent,
    watched.since as watched_since,
    coalesce(open_ones.open, 0) as open,
    coalesce(open_ones.held, 0) as held,
    by_week.weekly
from by_week
inner join newest on by_week.rule = newest.rule
left join watched on by_week.rule = watched.rule
left join open_ones on by_week.rule = open_ones.rule
order by by_week.rule
