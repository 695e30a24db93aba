-- Customers by tier or by owner, those with the most ARR first.
with customers as ({customers})

select
    {part},
    count(*) as accounts,
    sum(arr) as arr,
    avg(score) as mean_score,
    avg(score) filter (where score_before is not null) - avg(score_before) filter (where score is not null) as change,
    count(*) filter (where is_at_risk) as at_risk,
    coalesce(sum(arr) filter (where is_at_risk), 0) as arr_at_risk
from customers
group by {part}
order by sum(arr) desc, {part} asc
limit %(most)s
