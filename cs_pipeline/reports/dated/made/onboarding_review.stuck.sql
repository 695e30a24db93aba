-- Customers who signed up in the last 90 days and wait at a step, those that pay most first.
with accounts as (
    select
        account_id,
        created_at
    from staging.stg_accounts
    where
        created_at < %(as_of)s::timestamptz - make_interval(days => %(quiet_days)s)
        and created_at >= %(as_of)s::timestamptz - interval '90 days'
        and (churned_at is null or churned_at >= %(as_of)s)
),

steps as (
    select
        progress.account_id,
        accounts.created_at,
        progress.step,
        progress.position,
        progress.completed_at < %(as_of)s as is_done
    from staging.stg_onboarding_progress as progress
    inner join accounts on progress.account_id = accounts.account_id
),

last_done as (
    select
        progress.account_id,
        max(progress.completed_at) as last_completed_at,
        count(*) as done
    from staging.stg_onboarding_progress as progress
    inner join accounts on progress.account_id = accounts.account_id
    where progress.completed_at < %(as_of)s
    group by progress.account_id
),

waiting as (
    select distinct on (account_id)
        account_id,
        created_at,
        step
    from steps
    where is_done is not true
    order by account_id asc, position asc
),

stuck as (
    select
        waiting.*,
        coalesce(last_done.done, 0) as done,
        coalesce(last_done.last_completed_at, waiting.created_at) as since
    from waiting
    left join last_done on waiting.account_id = last_done.account_id
    where
        coalesce(last_done.last_completed_at, waiting.created_at)
        < %(as_of)s::timestamptz - make_interval(days => %(quiet_days)s)
)

select
    stuck.account_id,
    weeks.account_name,
    weeks.owner_email,
    coalesce(weeks.arr, 0) as arr,
    stuck.step,
    stuck.done,
    %(end)s::date - (stuck.created_at at time zone 'UTC')::date as days_since_signup,
    %(end)s::date - (stuck.since at time zone 'UTC')::date as days_waiting,
    count(*) over () as of_all,
    sum(coalesce(weeks.arr, 0)) over () as arr_of_all
from stuck
left join marts.fct_account_weeks as weeks
    on stuck.account_id = weeks.account_id and weeks.week = %(week)s::date
order by coalesce(weeks.arr, 0) desc, stuck.account_id asc
limit %(most)s
