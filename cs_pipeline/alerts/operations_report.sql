-- The evaluations that operations are to be told of now, marked as told. A rule is told of once a day, and not again
-- for saying the same of absent data as before. Of one that could never be asked, since its data was never fresh
-- enough, nothing stopped: once is enough until there is no data at all, or data for the first time.
with untold as materialized (
    select
        rule,
        as_of,
        health,
        error,
        is_baseline,
        is_absent,
        health = 'no_data' and version = '' as was_never_asked
    from cs.alert_evaluations
    where
        reported_at is null
        and (health in ('no_data', 'error') or is_baseline)
        and evaluated_at > %(since)s
    for update
),

marked as (
    update cs.alert_evaluations
    set reported_at = %(now)s
    from untold
    where alert_evaluations.rule = untold.rule and alert_evaluations.as_of = untold.as_of
),

newest as (
    select distinct on (rule, is_baseline) *
    from untold
    order by rule asc, is_baseline asc, as_of desc
)

select
    newest.rule,
    newest.health,
    newest.error,
    newest.was_never_asked,
    (
        select count(*)::integer
        from cs.alerts
        where
            alerts.rule = newest.rule
            and newest.is_baseline
            and alerts.is_baseline
            and alerts.since = newest.as_of
    ) as quiet
from newest
left join lateral (
    select
        told.error,
        told.is_absent,
        told.health = 'no_data' and told.version = '' as was_never_asked,
        (told.reported_at at time zone 'UTC')::date as told_on
    from cs.alert_evaluations as told
    where
        told.rule = newest.rule
        and told.reported_at is not null
        and told.health in ('no_data', 'error')
    order by told.as_of desc
    limit 1
) as last_told on true
where
    newest.is_baseline
    or last_told.told_on is null
    or (
        last_told.told_on <> (%(now)s at time zone 'UTC')::date
        and (newest.health = 'error' or last_told.error <> newest.error)
        and not (
            newest.was_never_asked
            and last_told.was_never_asked
            and newest.is_absent = last_told.is_absent
        )
    )
order by newest.rule
