-- Weeks with rows of an append-only table that are about them, and arrived after the week was scored.
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

-- Few groups, so that the join with the weeks is small.
arrived as (

    select
        date_trunc('week', {happened_at} at time zone 'UTC')::date as week,
        date_trunc('week', coalesce(_loaded_at, {happened_at}) at time zone 'UTC')::date as known_week,
        _load_id as load_id,
        count(*) as rows
    from {source_table}
    where _load_id > (select min(weeks.newest_load_id) from weeks)
    group by week, known_week, load_id

    union all

    -- Weeks from which rows moved away, or were deleted: what is gone is gone from any week scored again.
    select
        date_trunc('week', day)::date as week,
        '-infinity' as known_week,
        load_id,
        sum(rows) as rows
    from cs.touched_days
    where
        source_table = $3::text
        and load_id > (select min(weeks.newest_load_id) from weeks)
        and rows > 0
    group by week, load_id

)

select
    weeks.week,
    sum(arrived.rows)::bigint as rows,
    coalesce(
        sum(arrived.rows) filter (where $4::boolean or arrived.known_week <= weeks.week), 0
    )::bigint as would_count,
    max(loads.finished_at) as newest_arrival
from weeks
inner join arrived on weeks.week >= arrived.week and weeks.newest_load_id < arrived.load_id
left join cs.loads on arrived.load_id = loads.load_id
group by weeks.week
