-- Each customer at the end of a week, beside the week before: whether it is at risk, newly, worse, better or still.
with scores as (
    select
        account_id,
        week,
        score,
        band,
        severity,
        is_at_risk,
        likelihood,
        likelihood_low,
        likelihood_high
    from cs.active_scores
    where week in (%(week)s::date, %(week)s::date - 7)
),

compared as (
    select
        weeks.account_id,
        weeks.account_name,
        weeks.owner_email,
        coalesce(weeks.arr, 0) as arr,
        weeks.renewal_date,
        weeks.renewal_type,
        weeks.days_since_last_touchpoint,
        coalesce(weeks.has_cancellation_request, false) as has_cancellation_request,
        this_week.score,
        this_week.band,
        this_week.severity,
        this_week.likelihood,
        this_week.likelihood_low,
        this_week.likelihood_high,
        week_before.score as score_before,
        week_before.band as band_before,
        coalesce(this_week.is_at_risk, false) as is_at_risk,
        coalesce(week_before.is_at_risk, false) as was_at_risk,
        this_week.severity > week_before.severity
        or this_week.score <= week_before.score - %(worse_by)s as is_worse,
        this_week.severity < week_before.severity
        or this_week.score >= week_before.score + %(worse_by)s as is_better
    from marts.fct_account_weeks as weeks
    left join scores as this_week
        on weeks.account_id = this_week.account_id and this_week.week = %(week)s::date
    left join scores as week_before
        on weeks.account_id = week_before.account_id and week_before.week = %(week)s::date - 7
    where
        weeks.week = %(week)s::date
        and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
)

select
    *,
    case
        when is_at_risk and not was_at_risk then 'new'
        when is_at_risk and is_worse then 'worse'
        when was_at_risk and not is_at_risk then 'out'
        when is_at_risk and is_better then 'better'
        when is_at_risk then 'still'
    end as standing,
    is_at_risk and days_since_last_touchpoint >= %(silent_days)s as is_silent,
    renewal_date >= %(end)s::date and renewal_date < %(end)s::date + %(renewal_days)s as renews_soon
from compared
