-- What changed the MRR of all accounts in each of the last months.
select
    month,
    opening_mrr,
    new,
    reactivation,
    expansion,
    contraction,
    churn,
    closing_mrr
from marts.fct_mrr_bridge
where
    segment_kind = 'all'
    and month > (%(month)s::date - make_interval(months => %(months)s))::date
    and month <= %(month)s::date
order by month
