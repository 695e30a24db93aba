-- What changed the MRR of all accounts, quarter by quarter.
select
    date_trunc('quarter', month)::date as quarter,
    (array_agg(opening_mrr order by month))[1] as opening_mrr,
    sum(new) as new,
    sum(reactivation) as reactivation,
    sum(expansion) as expansion,
    sum(contraction) as contraction,
    sum(churn) as churn,
    (array_agg(closing_mrr order by month desc))[1] as closing_mrr
from marts.fct_mrr_bridge
where
    segment_kind = 'all'
    and month >= (%(first)s::date - make_interval(months => 3 * (%(quarters)s - 1)))::date
    and month < %(end)s::date
group by date_trunc('quarter', month)
order by quarter
