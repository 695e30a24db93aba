-- The account as it was in the last week that had ended: contract, contact, onboarding, what it is owed and owes.
with account as (
    select
        account_id,
        account_name,
        sales_goal,
        industry
    from marts.dim_accounts
    where (account_id = %(account)s or account_name = %(account)s) and created_at < %(as_of)s
    order by account_id = %(account)s desc, account_id asc
    limit 1
),

newest_week as (
    select weeks.*
    from account
    inner join marts.fct_account_weeks as weeks on account.account_id = weeks.account_id
    where weeks.week <= %(as_of)s::date - 7
    order by weeks.week desc
    limit 1
)

select
    account.account_id,
    account.account_name,
    account.sales_goal,
    newest_week.owner_email,
    newest_week.tier,
    newest_week.plan,
    newest_week.arr,
    newest_week.seats,
    newest_week.active_users_30d,
    newest_week.feature_adoption_ratio,
    newest_week.renewal_date,
    newest_week.onboarding_steps_completed,
    newest_week.onboarding_steps_total,
    newest_week.next_onboarding_step,
    newest_week.overdue_invoices,
    newest_week.overdue_amount,
    newest_week.value_delivered_365d,
    newest_week.value_ratio,
    newest_week.nps_response
from account
left join newest_week on account.account_id = newest_week.account_id
