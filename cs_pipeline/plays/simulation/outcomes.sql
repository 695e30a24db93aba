-- Which accounts of a simulation were well again or left, and whether anybody had been in touch before they left.
with asked as (
    select *
    from unnest(%(enrolments)s::bigint[], %(account_ids)s::text[], %(since)s::timestamptz[])
        as asked (enrolment, account_id, since)
)

select
    asked.enrolment,
    exists(
        select 1
        from cs.health_scores as scores
        where
            scores.account_id = asked.account_id
            and scores.is_active
            and scores.severity = 0
            and scores.week > (asked.since at time zone 'UTC')::date - 7
            and scores.week <= (asked.since at time zone 'UTC')::date - 7 + %(recovers_days)s
    ) as has_recovered,
    accounts.churned_at <= %(now)s as has_left,
    accounts.churned_at <= %(now)s
    and not exists (
        select 1
        from staging.stg_touchpoints as touchpoints
        where
            touchpoints.account_id = asked.account_id
            and not coalesce(touchpoints.is_missed, false)
            and touchpoints.held_at > asked.since
            and touchpoints.held_at < accounts.churned_at
    )
    and not exists (
        select 1
        from cs.actions
        where
            actions.account_id = asked.account_id
            and actions.status = 'sent'
            and actions.sent_at > asked.since
            and actions.sent_at < accounts.churned_at
    ) as is_untouched
from asked
left join marts.dim_accounts as accounts
    on
        asked.account_id = accounts.account_id
        and accounts.account_id = any(%(account_ids)s::text[])
        and asked.since < accounts.churned_at
        and accounts.churned_at <= asked.since + %(leaves_within)s
