-- Accounts that grew in the quarter, and by what.
select
    movements.account_id,
    accounts.account_name,
    min(movements.mrr_before) as mrr_before,
    sum(movements.mrr_change) as grown,
    sum(movements.upsell) as upsell,
    sum(movements.cross_sell) as cross_sell,
    sum(movements.price) as price,
    count(*) over () as of_all
from marts.fct_mrr_movements as movements
left join marts.dim_accounts as accounts on movements.account_id = accounts.account_id
where
    movements.movement = 'expansion'
    and movements.month >= %(first)s::date
    and movements.month < %(end)s::date
group by movements.account_id, accounts.account_name
order by sum(movements.mrr_change) desc, movements.account_id asc
limit %(most)s
