-- Accounts of one kind, those with the most ARR first.
with signals as ({signals})

select
    account_id,
    account_name,
    owner_email,
    arr,
    renewal_date,
    score,
    band,
    rules,
    plays,
    is_worked_on,
    count(*) over () as of_all
from signals
where {condition}
order by arr desc, account_id asc
limit %(most)s
