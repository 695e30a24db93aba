-- Why customers that left in the quarter said that they go.
with lost as ({lost})

select
    lower(reason) as reason,
    count(*) as accounts,
    sum(mrr_lost) as mrr_lost
from lost
where movement = 'churn'
group by lower(reason)
order by sum(mrr_lost) desc, lower(reason) asc
limit %(most)s
