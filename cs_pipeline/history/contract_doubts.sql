with running as (
    select
        terms.*,
        accounts.churned_at
    from marts.fct_subscription_terms as terms
    inner join marts.dim_accounts as accounts on terms.account_id = accounts.account_id
    where
        terms.started_on <= %(today)s
        and (terms.held_until is null or terms.held_until > %(today)s)
        and not terms.is_trial
),

renewing as (
    select *
    from running
    where not is_addon and renews_on is not null and (churned_at is null or churned_at > %(now)s)
)

select
    'left_and_pays' as doubt,
    account_id,
    subscription_id,
    'left on ' || (churned_at at time zone 'UTC')::date || ', and pays ' || mrr || ' a month since ' || started_on
        as words
from running
where churned_at <= %(now)s and mrr > 0

union all

select
    'stale_renewal',
    account_id,
    subscription_id,
    'runs on although it was to be signed on ' || renews_on
from renewing
where renewal_type = 'manual' and renews_on <= %(today)s::date - %(stale_days)s

union all

select
    'ends_everywhere',
    null,
    null,
    count(*) filter (where ended_on between %(today)s and renews_on + 1 and successor_started_on is null)
    || ' of ' || count(*) || ' contracts with a renewal date'
from renewing
having
    count(*) >= %(fewest)s
    and 2 * count(*) filter (where ended_on between %(today)s and renews_on + 1 and successor_started_on is null)
    > count(*)

order by 1, 2, 3
