-- Accounts $3 days ahead of renewals and departures, and all others now and then: every $4 weeks. Whose contract is
-- shorter than that is looked at as soon as it has been a customer for a week. Were the others all looked at in the
-- same weeks, the week alone would tell who stays: each has weeks of its own.
with

seen as (

    select
        account_weeks.account_id,
        min(account_weeks.week) as first_week,
        (select min(built.week) from marts.fct_account_weeks as built) as first_built_week
    from marts.fct_account_weeks as account_weeks
    inner join outcomes on account_weeks.account_id = outcomes.account_id
    group by account_weeks.account_id

),

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

looks as (

    select
        happenings.account_id,
        happenings.departs,
        happenings.known_on,
        case
            when seen.first_week > seen.first_built_week and seen.first_week + 7 <= happenings.happens_on
                then greatest(seen.first_week, date_trunc('week', happenings.happens_on - $3::integer)::date - 7)
            else date_trunc('week', happenings.happens_on - $3::integer)::date - 7
        end as week
    from happenings
    left join seen on happenings.account_id = seen.account_id

),

ahead as (

    select
        account_id,
        week,
        bool_or(departs) as departs,
        max(known_on) as known_on
    from looks
    where week between $1::date and $2::date
    group by account_id, week

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
    and (account_weeks.week - $1::date) / 7 % $4::integer
    = ('x' || left(md5(account_weeks.account_id), 7))::bit(28)::integer % $4::integer
    and account_weeks.week + 14 + $3::integer <= least(outcomes.until_day, outcomes.decided_until)
    and (outcomes.departs_on is null or outcomes.departs_on >= account_weeks.week + 14 + $3::integer)
    and not exists (
        select 1
        from ahead
        where ahead.account_id = account_weeks.account_id
    )
