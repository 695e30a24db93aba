-- Weeks that ended after rows began that changed since, and in which nothing is dated later that would explain it.
with

-- Marts are built for all models at once, so the latest scoring knew what any did.
weeks as materialized (

    select
        week,
        max(newest_load_id) as newest_load_id
    from cs.scored_weeks
    where week between $1::date and $2::date
    group by week

),

changed as (

    select
        date_trunc('week', coalesce({latest_date}, '-infinity') at time zone 'UTC') as week,
        _load_id,
        count(*) as rows
    from {source_table}
    where _load_id > (select min(weeks.newest_load_id) from weeks)
    group by week, _load_id

)

select
    weeks.week,
    sum(changed.rows)::bigint as rows,
    max(loads.finished_at) as newest_arrival
from weeks
inner join changed on weeks.week >= changed.week and weeks.newest_load_id < changed._load_id
left join cs.loads on changed._load_id = loads.load_id
group by weeks.week
