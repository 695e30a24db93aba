-- The month in one row.
with customers as ({customers})

select
    count(*) as accounts,
    count(score) as scored,
    avg(score) as mean_score,
    avg(score_before) as mean_score_before,
    sum(score * arr) / nullif(sum(arr) filter (where score is not null), 0) as score_by_arr,
    sum(score_before * arr) / nullif(sum(arr) filter (where score_before is not null), 0) as score_by_arr_before,
    count(*) filter (where severity = 0) as healthy,
    count(*) filter (where severity_before = 0) as healthy_before,
    count(severity_before) as scored_before,
    count(*) filter (where severity > severity_before) as fell,
    coalesce(sum(arr) filter (where severity > severity_before), 0) as arr_fell,
    count(*) filter (where severity < severity_before) as rose,
    coalesce(sum(arr) filter (where severity < severity_before), 0) as arr_rose
from customers
