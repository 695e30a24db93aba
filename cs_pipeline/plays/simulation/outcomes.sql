-- Which accounts of a simulation were well again or left, and whether anybody had been in touch before they left.
with asked as (
    select *
    from unnest(%(enrolments)s::bigint[], %(account_ids)s::text[], %(since)s::timestamptz[])
        as asked (enrolment, account_id, since)
),

-- Each of these is joined by itself: where tables are spread over servers, none looks up rows of another, case by case.
recovered as materialized (
    select distinct asked.enrolment
    from asked
    inner join cs.health_scores as scores
        on
            asked.account_id = scores.account_id
            and scores.week > (asked.since at time zone 'UTC')::date - 7
            and scores.week <= (asked.since at time zone 'UTC')::date - 7 + %(recovers_days)s
    where
        scores.account_id = any(%(account_ids)s::text[])
        and scores.is_active
        and scores.severity = 0
),

leaving as materialized (
    select
        asked.enrolment,
        asked.account_id,
        asked.since,
        accounts.churned_at
    from asked
    inner join marts.dim_accounts as accounts
        on
            asked.account_id = accounts.account_id
            and asked.since < accounts.churned_at
            and accounts.churned_at <= asked.since + %(leaves_within)s
    where accounts.account_id = any(%(account_ids)s::text[])
),

touched as materialized (
    select distinct leaving.enrolment
    from leaving
    inner join staging.stg_touchpoints as touchpoints
        on
            leaving.account_id = touchpoints.account_id
            and leaving.since < touchpoints.held_at
            and leaving.churned_at > touchpoints.held_at
    where not coalesce(touchpoints.is_missed, false)
)

select
    asked.enrolment,
    recovered.enrolment is not null as has_recovered,
    leaving.churned_at <= %(now)s as has_left,
    leaving.churned_at <= %(now)s
    and touched.enrolment is null
    and not exists (
        select 1
        from cs.actions
        where
            actions.account_id = asked.account_id
            and actions.status = 'sent'
            and actions.sent_at > asked.since
            and actions.sent_at < leaving.churned_at
    ) as is_untouched
from asked
left join recovered on asked.enrolment = recovered.enrolment
left join leaving on asked.enrolment = leaving.enrolment
left join touched on asked.enrolment = touched.enrolment
