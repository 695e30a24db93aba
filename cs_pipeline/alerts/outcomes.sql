-- What became of accounts, a row a happening or an occasion for one: account_id, event, happens_on, happened.
with

outcomes as ({outcomes}),

-- A term counts until its successor takes its place, and none after the account departed.
paid_periods as (

    select
        terms.account_id,
        terms.started_on,
        terms.mrr::numeric as mrr,
        least(terms.held_until, outcomes.departs_on) as ended_on
    from marts.fct_subscription_terms as terms
    inner join outcomes on terms.account_id = outcomes.account_id
    where not terms.is_trial and terms.mrr > 0

),

mrr_changes as (

    select
        account_id,
        started_on as happens_on,
        mrr as change
    from paid_periods
    where ended_on is null or ended_on > started_on

    union all

    select
        account_id,
        ended_on as happens_on,
        -mrr as change
    from paid_periods
    where ended_on > started_on

),

changes_of_days as (

    select
        account_id,
        happens_on,
        sum(change) as change
    from mrr_changes
    group by account_id, happens_on

),

with_mrr as (

    select
        *,
        sum(change) over (partition by account_id order by happens_on) as mrr_after
    from changes_of_days

),

onboardings as (

    select
        accounts.account_id,
        (accounts.created_at at time zone 'UTC')::date + $1::integer as happens_on,
        not bool_and(
            coalesce(
                (steps.completed_at at time zone 'UTC')::date
                <= (accounts.created_at at time zone 'UTC')::date + $1::integer,
                false
            )
        ) as happened
    from marts.dim_accounts as accounts
    inner join staging.stg_onboarding_progress as steps on accounts.account_id = steps.account_id
    group by accounts.account_id, accounts.created_at

),

happenings as (

    select
        account_id,
        'churn' as event,
        departs_on as happens_on,
        true as happened
    from outcomes
    where departs_on is not null

    union all

    select
        account_id,
        case when change > 0 then 'expansion' else 'contraction' end as event,
        happens_on,
        true as happened
    from with_mrr
    where change <> 0 and mrr_after > 0 and mrr_after - change > 0

    union all

    select
        account_id,
        'onboarding_incomplete' as event,
        happens_on,
        happened
    from onboardings

    union all

    select
        account_id,
        'renewal' as event,
        renews_on as happens_on,
        coalesce(
            successor_started_on between renews_on - $2::integer and renews_on + $2::integer,
            renewal_type = 'auto' and (ended_on is null or ended_on > renews_on)
        ) as happened
    from marts.fct_subscription_terms
    where not is_trial and not is_addon and renews_on is not null

)

select
    happenings.account_id,
    happenings.event,
    happenings.happens_on,
    bool_or(happenings.happened) as happened
from happenings
inner join outcomes on happenings.account_id = outcomes.account_id
where
    happenings.happens_on <= outcomes.until_day
    and (
        happenings.event <> 'renewal'
        or happenings.happened
        or happenings.happens_on + $2::integer <= outcomes.until_day
    )
group by happenings.account_id, happenings.event, happenings.happens_on
order by happenings.account_id, happenings.event, happenings.happens_on
