-- What was lost in the quarter, and whether the score had said so.
with lost as ({lost})

select
    count(*) filter (where movement = 'churn') as left_accounts,
    coalesce(sum(mrr_lost) filter (where movement = 'churn'), 0) as left_mrr,
    count(*) filter (where movement = 'contraction') as shrunk_accounts,
    coalesce(sum(mrr_lost) filter (where movement = 'contraction'), 0) as shrunk_mrr,
    coalesce(sum(mrr_lost) filter (where was_at_risk), 0) as seen_mrr,
    coalesce(sum(mrr_lost) filter (where not was_at_risk), 0) as unseen_mrr,
    count(*) filter (where not was_at_risk) as unseen_accounts,
    coalesce(sum(mrr_lost) filter (where was_at_risk is null), 0) as unscored_mrr
from lost
