-- Each customer at the end of a month beside the month before: its scores, and how it moved.
select
    weeks.account_id,
    weeks.account_name,
    weeks.owner_email,
    coalesce(weeks.tier, 'none') as tier,
    coalesce(weeks.arr, 0) as arr,
    this_month.score,
    this_month.band,
    this_month.severity,
    month_before.score as score_before,
    month_before.band as band_before,
    month_before.severity as severity_before,
    this_month.score - month_before.score as change,
    this_month.is_at_risk
from marts.fct_account_weeks as weeks
left join cs.active_scores as this_month
    on weeks.account_id = this_month.account_id and this_month.week = %(week)s::date
left join cs.active_scores as month_before
    on weeks.account_id = month_before.account_id and month_before.week = %(week_before)s::date
where
    weeks.week = %(week)s::date
    and (%(owner)s::text is null or lower(weeks.owner_email) = lower(%(owner)s))
