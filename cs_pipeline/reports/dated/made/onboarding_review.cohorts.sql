-- Accounts by month of signup: who completed within 30 days of those who had them, who saw first value, who is inside.
with accounts as (
    select
        account_id,
        created_at,
        date_trunc('month', created_at at time zone 'UTC')::date as signup_month
    from staging.stg_accounts
    where
        created_at < %(as_of)s
        and created_at >= %(as_of)s::timestamptz - make_interval(months => %(months)s)
),

progress as (
    select
        progress.account_id,
        bool_and(coalesce(progress.completed_at < %(as_of)s, false)) as is_done,
        max(progress.completed_at) as last_completed_at,
        bool_or(progress.is_aha) as has_first_value_step,
        min(progress.completed_at) filter (where progress.is_aha and progress.completed_at < %(as_of)s)
            as first_value_at
    from staging.stg_onboarding_progress as progress
    inner join accounts on progress.account_id = accounts.account_id
    group by progress.account_id
)

select
    accounts.signup_month,
    count(*) as accounts,
    count(*) filter (where accounts.created_at + interval '30 days' <= %(as_of)s) as due,
    count(*) filter (
        where
        accounts.created_at + interval '30 days' <= %(as_of)s
        and progress.is_done
        and progress.last_completed_at <= accounts.created_at + interval '30 days'
    ) as completed,
    count(*) filter (
        where progress.has_first_value_step and accounts.created_at + interval '72 hours' <= %(as_of)s
    ) as had_72_hours,
    count(*) filter (
        where
        accounts.created_at + interval '72 hours' <= %(as_of)s
        and progress.first_value_at <= accounts.created_at + interval '72 hours'
    ) as first_value_in_72h,
    count(*) filter (where accounts.created_at + interval '30 days' > %(as_of)s) as inside
from accounts
inner join progress on accounts.account_id = progress.account_id
group by accounts.signup_month
order by accounts.signup_month
