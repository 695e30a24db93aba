-- Annual contracts run in terms of a year; each term that began is a row, as the contract has it. Monthly ones have none.
with subscriptions as (
    select
        *,
        to_date(start_date, 'DD-MM-YYYY') as started_on,
        to_date(end_date, 'DD-MM-YYYY') as ended_on
    from landing.ravenstack_subscriptions
),

terms as (
    select
        subscriptions.*,
        term.number,
        (started_on + make_interval(years => term.number))::date as term_started_on,
        case billing_frequency
            when 'annual' then (started_on + make_interval(years => term.number + 1))::date
        end as term_ends_on
    from subscriptions
    cross join lateral generate_series(
        0,
        case billing_frequency
            when 'annual' then greatest(
                0,
                extract(year from age(coalesce(ended_on - 1, date '2024-12-31'), started_on))::integer
            )
            else 0
        end
    ) as term (number)
)

select
    subscription_id || case number when 0 then '' else format('-%s', number + 1) end as subscription_id,
    account_id,
    subscription_id as product,
    plan_tier as plan,
    case plan_tier when 'Basic' then 'starter' else lower(plan_tier) end as tier,
    seats::integer as seats,
    mrr_amount::double precision as mrr,
    term_started_on as started_on,
    case
        when term_ends_on <= coalesce(ended_on, date '2024-12-31') then term_ends_on
        else ended_on
    end as ended_on,
    term_ends_on as renews_on,
    auto_renew_flag::boolean as auto_renew,
    case billing_frequency when 'annual' then 12 else 1 end as billing_months,
    is_trial::boolean as is_trial,
    false as is_addon
from terms
