-- A page of accounts, with what changes between weeks read for its rows only (see book.py).
with page as materialized (
    select
        overview.account_id,
        overview.account_name,
        overview.week,
        overview.score,
        overview.band,
        overview.severity,
        overview.is_at_risk,
        overview.change,
        overview.previous_band,
        overview.arr,
        overview.tier,
        overview.plan,
        overview.industry,
        overview.lifecycle_stage,
        overview.owner_email,
        overview.renewal_date,
        overview.renewal_type,
        overview.has_cancellation_request,
        overview.last_touch_on,
        overview.score_rank,
        overview.renewal_rank,
        overview.name_rank,
        row_number() over (order by {ordered}) as place
    from cs.account_overview as overview
    where {asked} and {goes_on}
    order by {ordered}
    limit %(limit)s
),

trends as materialized (
    select
        scores.account_id,
        array_agg(scores.score order by scores.week) as trend
    from page
    inner join cs.health_scores as scores
        on
            page.account_id = scores.account_id
            and page.week - 84 < scores.week
            and page.week >= scores.week
    where scores.is_active and scores.score is not null
    group by scores.account_id
)

select
    page.account_id,
    page.account_name,
    page.week,
    page.score,
    page.band,
    page.severity,
    page.is_at_risk,
    page.change,
    page.previous_band,
    page.arr,
    page.tier,
    page.plan,
    page.industry,
    page.lifecycle_stage,
    page.owner_email,
    page.renewal_date,
    page.renewal_type,
    page.has_cancellation_request,
    page.last_touch_on,
    page.score_rank,
    page.renewal_rank,
    page.name_rank,
    alerts.worst_alert,
    trends.trend,
    coalesce(alerts.open_alerts, 0) as open_alerts
from page
left join lateral (
    select
        count(*) as open_alerts,
        (array['urgent', 'high', 'medium', 'low'])[
            min(array_position(array['urgent', 'high', 'medium', 'low'], alerts.severity))
        ] as worst_alert
    from cs.alerts as alerts
    where page.account_id = alerts.account_id and alerts.state in ('firing', 'recovering') and not alerts.is_held
) as alerts on true
left join trends on page.account_id = trends.account_id
order by page.place
