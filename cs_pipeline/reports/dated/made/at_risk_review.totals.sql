-- The week in one row.
with standing as ({standing})

select
    count(*) filter (where is_at_risk) as at_risk,
    count(*) filter (where was_at_risk) as at_risk_before,
    coalesce(sum(arr) filter (where is_at_risk), 0) as arr_at_risk,
    coalesce(sum(arr) filter (where was_at_risk), 0) as arr_at_risk_before,
    coalesce(sum(arr), 0) as arr,
    sum(arr * likelihood) as arr_expected_to_leave,
    sum(arr * likelihood_low) as arr_expected_at_least,
    sum(arr * likelihood_high) as arr_expected_at_most,
    count(*) as accounts,
    count(severity) as scored,
    count(*) filter (where standing = 'new') as fallen,
    coalesce(sum(arr) filter (where standing = 'new'), 0) as arr_fallen,
    count(*) filter (where standing = 'worse') as worse,
    count(*) filter (where standing in ('out', 'better')) as better,
    count(*) filter (where standing = 'out') as recovered,
    coalesce(sum(arr) filter (where standing = 'out'), 0) as arr_recovered,
    count(*) filter (where is_silent) as silent,
    coalesce(sum(arr) filter (where is_silent), 0) as arr_silent,
    count(*) filter (where renews_soon) as renewing,
    coalesce(sum(arr) filter (where renews_soon), 0) as arr_renewing,
    count(*) filter (where renews_soon and is_at_risk) as renewing_at_risk,
    coalesce(sum(arr) filter (where renews_soon and is_at_risk), 0) as arr_renewing_at_risk,
    count(*) filter (where has_cancellation_request) as asked_to_cancel,
    coalesce(sum(arr) filter (where has_cancellation_request), 0) as arr_asked_to_cancel
from standing
