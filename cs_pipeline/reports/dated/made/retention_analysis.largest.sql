-- The largest losses.
with lost as ({lost})

select
    account_id,
    account_name,
    owner_email,
    tier,
    movement,
    month,
    mrr_lost,
    score,
    band,
    reason,
    count(*) over () as of_all
from lost
order by mrr_lost desc, account_id asc, month asc
limit %(most)s
