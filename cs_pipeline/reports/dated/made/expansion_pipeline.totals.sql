-- The pipeline in one row.
with signals as ({signals})

select
    count(*) as accounts,
    coalesce(sum(arr), 0) as arr,
    count(*) filter (where is_at_risk) as at_risk,
    count(*) filter (where not is_at_risk) as ready,
    coalesce(sum(arr) filter (where not is_at_risk), 0) as arr_ready,
    count(*) filter (where not is_at_risk and not is_worked_on) as untouched,
    coalesce(sum(arr) filter (where not is_at_risk and not is_worked_on), 0) as arr_untouched
from signals
