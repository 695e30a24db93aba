-- What became of each account, as far as the marts know: when it happened, and when that is decided and known.
-- `asked` is another word where a design asks for another outcome; `accounts` are cut short where a part is enough.
with

asked as (

    select 'departure'::text as outcome

),

accounts as (

    select
        account_id,
        churned_at
    from marts.dim_accounts

),

known as (

    -- A week in which nobody was a customer any more has been built, and has no row.
    select greatest((select max(week) from marts.fct_account_weeks), (select max(week) from cs.scored_weeks)) + 7
        as until_day

),

last_ends as (

    select
        account_id,
        max(coalesce(successor_started_on, ended_on, 'infinity')) as ended_on,
        max(renews_on) filter (where not is_addon) as renews_on
    from marts.fct_subscription_terms
    group by account_id

),

-- Where the outcome is one of them.
moves as (

    select
        account_id,
        min(week) filter (where mrr < 0.95 * mrr_before) as contracted_on,
        min(week) filter (where mrr > 1.05 * mrr_before and mrr_before > 0) as expanded_on
    from (
        select
            account_id,
            week,
            mrr,
            lag(mrr) over (partition by account_id order by week) as mrr_before
        from marts.fct_account_weeks
        where (select asked.outcome from asked) in ('contraction', 'expansion')
    ) as account_weeks
    where mrr > 0
    group by account_id

),

exits as (

    select
        accounts.account_id,
        known.until_day,
        (accounts.churned_at at time zone 'UTC')::date as churned_on,
        nullif(last_ends.ended_on, 'infinity') as lapsed_on,
        last_ends.renews_on,
        moves.contracted_on,
        moves.expanded_on
    from accounts
    cross join known
    left join last_ends on accounts.account_id = last_ends.account_id
    left join moves on accounts.account_id = moves.account_id

),

departures as (

    select
        account_id,
        until_day,
        lapsed_on,
        renews_on,
        contracted_on,
        expanded_on,
        case
            when churned_on < until_day then least(churned_on, lapsed_on)
            when lapsed_on + 30 <= until_day then lapsed_on
        end as left_on,
        case
            when churned_on < until_day then least(churned_on + 1, lapsed_on + 30)
            else lapsed_on + 30
        end as known_on
    from exits

),

happened as (

    select
        departures.account_id,
        departures.until_day,
        departures.lapsed_on,
        departures.left_on,
        case asked.outcome
            when 'departure' then departures.left_on
            when 'churn'
                then case
                    when departures.left_on < coalesce(departures.renews_on, 'infinity') then departures.left_on
                end
            when 'non_renewal' then case when departures.left_on >= departures.renews_on then departures.left_on end
            when 'contraction' then departures.contracted_on
            when 'expansion' then departures.expanded_on
        end as departs_on,
        case asked.outcome
            when 'contraction' then departures.contracted_on + 7
            when 'expansion' then departures.expanded_on + 7
            else departures.known_on
        end as known_on
    from departures
    cross join asked

)

select
    account_id,
    until_day,
    departs_on,
    known_on,
    case
        when departs_on is not null then 'infinity'
        else least(coalesce(left_on, lapsed_on, 'infinity'), until_day)
    end as decided_until
from happened
