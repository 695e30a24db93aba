-- How far accounts came by their day 30, step by step: those whose day 30 lay in the three months before the end.
with due as (
    select
        account_id,
        created_at,
        created_at + interval '30 days' as due_at
    from staging.stg_accounts
    where
        created_at + interval '30 days' > %(as_of)s::timestamptz - interval '3 months'
        and created_at + interval '30 days' <= %(as_of)s::timestamptz
)

select
    progress.step,
    min(progress.position) as position,
    count(*) as accounts,
    count(*) filter (where progress.completed_at <= due.due_at) as completed,
    percentile_cont(0.5) within group (
        order by extract(epoch from progress.completed_at - due.created_at) / 86400
    ) filter (where progress.completed_at <= due.due_at) as median_days,
    bool_or(progress.is_aha) as is_first_value
from staging.stg_onboarding_progress as progress
inner join due on progress.account_id = due.account_id
group by progress.step
order by min(progress.position), progress.step
