-- Expansion quarter by quarter, by what was sold.
select
    date_trunc('quarter', month)::date as quarter,
    sum(expansion) as expansion,
    sum(upsell) as upsell,
    sum(cross_sell) as cross_sell,
    sum(price) as price
from marts.fct_mrr_bridge
where
    segment_kind = 'all'
    and month >= (%(first)s::date - make_interval(months => 3 * (%(quarters)s - 1)))::date
    and month < %(end)s::date
group by date_trunc('quarter', month)
order by quarter
