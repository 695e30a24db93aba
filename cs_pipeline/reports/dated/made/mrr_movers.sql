-- Accounts whose MRR changed most between two months, and what their health was when it did.
with changed as (
    select
        before_and_now.account_id,
        before_and_now.mrr_before,
        before_and_now.mrr_after,
        before_and_now.mrr_after - before_and_now.mrr_before as mrr_change
    from (
        select
            account_id,
            coalesce(sum(mrr) filter (where month = %(month_before)s::date), 0) as mrr_before,
            coalesce(sum(mrr) filter (where month = %(month)s::date), 0) as mrr_after
        from marts.fct_account_months
        where month in (%(month)s::date, %(month_before)s::date)
        group by account_id
    ) as before_and_now
    where before_and_now.mrr_before <> before_and_now.mrr_after
),

largest as (
    select
        *,
        count(*) over () as of_all
    from changed
    order by abs(mrr_change) desc, account_id asc
    limit %(most)s
)

select
    largest.account_id,
    accounts.account_name,
    largest.mrr_before,
    largest.mrr_after,
    largest.mrr_change,
    largest.of_all,
    coalesce(months.first_paid_month <= %(month_before)s::date, false) as has_paid_before,
    months.owner_email,
    scores.score as score_before,
    scores.band as band_before
from largest
left join marts.dim_accounts as accounts on largest.account_id = accounts.account_id
left join marts.fct_account_months as months
    on largest.account_id = months.account_id and months.month = %(month)s::date
left join cs.active_scores as scores
    on largest.account_id = scores.account_id and scores.week = %(week_before)s::date
order by abs(largest.mrr_change) desc, largest.account_id asc
