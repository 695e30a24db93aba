-- Of accounts that first paid in a quarter, how many paid after so many months; ages that not all of them have reached
-- by the end are left out.
with cohorts as (
    select
        date_trunc('quarter', first_paid_month)::date as cohort,
        account_id,
        first_paid_month
    from marts.fct_account_months
    where
        months_since_first_paid = 0
        and first_paid_month < %(end)s::date
        and first_paid_month >= (%(first)s::date - make_interval(months => 3 * %(quarters)s))::date
),

counted as (
    select
        cohorts.cohort,
        ages.age,
        count(*) as accounts,
        count(*) filter (where months.mrr > 0) as retained,
        coalesce(sum(months.mrr), 0) as mrr_retained,
        sum(first_months.mrr) as mrr_start
    from cohorts
    cross join unnest(%(ages)s::integer[]) as ages (age)
    inner join marts.fct_account_months as first_months
        on cohorts.account_id = first_months.account_id and cohorts.first_paid_month = first_months.month
    left join marts.fct_account_months as months
        on
            cohorts.account_id = months.account_id
            and months.month = (cohorts.first_paid_month + make_interval(months => ages.age))::date
    group by cohorts.cohort, ages.age
)

select
    cohort,
    age,
    accounts,
    retained,
    mrr_retained,
    mrr_start
from counted
where cohort + make_interval(months => 2 + age) < %(end)s::date
order by cohort, age
