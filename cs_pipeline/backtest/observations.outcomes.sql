-- What became of each account, as far as the marts know: when it departed, and when that is decided and known.
with

known as (

    -- A week in which nobody was a customer any more has been built, and has no row.
    select greatest((select max(week) from marts.fct_account_weeks), (select max(week) from cs.scored_weeks)) + 7
        as until_day

),

last_ends as (

    select
        account_id,
        max(coalesce(successor_started_on, ended_on, 'infinity')) as ended_on
    from marts.fct_subscription_terms
    group by account_id

),

exits as (

    select
        accounts.account_id,
        (accounts.churned_at at time zone 'UTC')::date as churned_on,
        nullif(last_ends.ended_on, 'infinity') as lapsed_on
    from marts.dim_accounts as accounts
    left join last_ends on accounts.account_id = last_ends.account_id

)

select
    exits.account_id,
    known.until_day,
    case
        when exits.churned_on < known.until_day then least(exits.churned_on, exits.lapsed_on)
        when exits.lapsed_on + 30 <= known.until_day then exits.lapsed_on
    end as departs_on,
    case
        when exits.churned_on < known.until_day then least(exits.churned_on + 1, exits.lapsed_on + 30)
        else exits.lapsed_on + 30
    end as known_on,
    case
        when exits.churned_on < known.until_day or exits.lapsed_on + 30 <= known.until_day then 'infinity'
        else least(coalesce(exits.lapsed_on, 'infinity'), known.until_day)
    end as decided_until
from exits
cross join known
