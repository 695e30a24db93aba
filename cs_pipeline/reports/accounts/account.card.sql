-- Who an account is, as of today and as of the newest week of the mart (see account.py).
select
    accounts.account_id,
    accounts.account_name,
    accounts.created_at,
    accounts.churned_at,
    accounts.tier,
    accounts.plan,
    accounts.industry,
    accounts.country,
    accounts.timezone,
    accounts.owner_email,
    accounts.manager_email,
    accounts.executive_email,
    accounts.slack_channel,
    accounts.is_bad_fit,
    accounts.sales_goal,
    accounts.seats,
    accounts.arr,
    weeks.week,
    weeks.lifecycle_stage,
    weeks.renewal_date,
    weeks.renewal_type,
    weeks.users_total,
    weeks.active_users_30d,
    weeks.days_since_last_login,
    weeks.feature_adoption_ratio,
    weeks.nps_response,
    weeks.open_tickets,
    weeks.open_critical_tickets,
    weeks.overdue_amount,
    weeks.value_delivered_365d,
    weeks.value_ratio,
    weeks.has_cancellation_request,
    weeks.top_unused_core_feature,
    touchpoints.last_touch_at,
    touchpoints.last_touch_kind,
    touchpoints.next_touch_at,
    touchpoints.next_touch_kind
from marts.dim_accounts as accounts
left join lateral (
    select account_weeks.*
    from marts.fct_account_weeks as account_weeks
    where account_weeks.account_id = accounts.account_id and account_weeks.week <= %(today)s
    order by account_weeks.week desc
    limit 1
) as weeks on true
left join lateral (
    select
        max(held.held_at) filter (where held.held_at <= %(now)s and not held.is_missed) as last_touch_at,
        (array_agg(held.kind order by held.held_at desc) filter (
            where held.held_at <= %(now)s and not held.is_missed
        ))[1] as last_touch_kind,
        min(held.scheduled_at) filter (where held.scheduled_at > %(now)s and held.held_at is null) as next_touch_at,
        (array_agg(held.kind order by held.scheduled_at) filter (
            where held.scheduled_at > %(now)s and held.held_at is null
        ))[1] as next_touch_kind
    from staging.stg_touchpoints as held
    where held.account_id = accounts.account_id
) as touchpoints on true
where accounts.account_id = %(account_id)s
