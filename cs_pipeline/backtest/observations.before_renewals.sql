-- Accounts $3 days ahead of renewals and departures, and all others now and then: every $4 weeks.
with

happenings as (

    select
        account_id,
        departs_on as happens_on,
        true as departs,
        known_on
    from outcomes
    where departs_on is not null

    union all

    select
        terms.account_id,
        terms.renews_on as happens_on,
        false as departs,
        greatest(terms.renews_on, terms.successor_started_on) + 1 as known_on
    from marts.fct_subscription_terms as terms
    inner join outcomes on terms.account_id = outcomes.account_id
    where
        not terms.is_trial
        and not terms.is_addon
        and terms.successor_started_on between terms.renews_on - 30 and terms.renews_on + 30
        and terms.renews_on < outcomes.until_day
        and (outcomes.departs_on is null or terms.renews_on < outcomes.departs_on)

),

ahead as (

    select
        account_id,
        date_trunc('week', happens_on - $3::integer)::date - 7 as week,
        bool_or(departs) as departs,
        max(known_on) as known_on
    from happenings
    group by account_id, week
    having date_trunc('week', min(happens_on) - $3::integer)::date - 7 between $1::date and $2::date

)

select
    account_id,
    week,
    departs,
    known_on
from ahead

union all

select
    account_weeks.account_id,
    account_weeks.week,
    false as departs,
    account_weeks.week + 14 + $3::integer as known_on
from marts.fct_account_weeks as account_weeks
inner join outcomes on account_weeks.account_id = outcomes.account_id
where
    account_weeks.week between $1::date and $2::date
    and (account_weeks.week - $1::date) % (7 * $4::integer) = 0
    and account_weeks.week + 14 + $3::integer <= least(outcomes.until_day, outcomes.decided_until)
    and (outcomes.departs_on is null or outcomes.departs_on >= account_weeks.week + 14 + $3::integer)
    and not exists (
        select 1
        from ahead
        where ahead.account_id = account_weeks.account_id
    )
