with

terms as (

    select
        renewals.*,
        accounts.created_at,
        accounts.churned_at
    from {{ ref('int_renewal_dates') }} as renewals
    inner join {{ ref('stg_accounts') }} as accounts on renewals.account_id = accounts.account_id

),

-- Somebody signed: the next period reaches beyond the renewal date, or has none and begins around it.
signed as (

    select
        moments.as_of,
        terms.account_id,
        terms.successor_subscription_id as entity,
        successors.mrr,
        terms.mrr as previous_mrr,
        {{ utc_day('terms.successor_signed_at') }} as renewed_on,
        terms.renewal_date,
        'signed' as how
    from {{ moments() }} as moments
    inner join terms
        on
            {{ is_news('terms.successor_signed_at', 'moments.as_of') }}
            and terms.successor_known_at <= moments.as_of
    inner join {{ ref('stg_subscriptions') }} as successors
        on terms.successor_subscription_id = successors.subscription_id
    where
        terms.since < terms.successor_started_on
        and terms.successor_started_on - {{ renewal_tolerance_days() }} <= terms.renewal_date
        and coalesce(
            successors.renews_on > terms.renewal_date,
            terms.successor_started_on >= terms.renewal_date - {{ renewal_tolerance_days() }}
        )
        and {{ is_customer('terms', 'moments.as_of') }}

),

-- Nobody had to.
by_itself as (

    select
        moments.as_of,
        terms.account_id,
        concat_ws(':', terms.subscription_id, terms.renewal_date) as entity,
        terms.mrr,
        terms.mrr as previous_mrr,
        terms.renewal_date as renewed_on,
        terms.renewal_date,
        'by itself' as how
    from {{ moments() }} as moments
    inner join terms on {{ is_news_of_day('terms.renewal_date', 'moments.as_of') }}
    where
        terms.renewal_type = 'auto'
        and coalesce(terms.ended_on > {{ utc_day('moments.as_of') }}, true)
        and coalesce(terms.successor_known_at > moments.as_of, true)
        and {{ was_known('terms._loaded_at', utc_midnight('terms.started_on'), 'moments.as_of') }}
        and {{ is_customer('terms', 'moments.as_of') }}

),

renewed as (

    select * from signed

    union all

    select * from by_itself

)

-- One a successor: laps of the same term meet it only once, but for renewal dates in a row.
select distinct on (as_of, account_id, entity)
    as_of,
    account_id,
    entity,
    cast(mrr - previous_mrr as double precision) as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object(
        'renewed_on', renewed_on,
        'renewal_date', renewal_date,
        'how', how,
        'mrr', mrr,
        'previous_mrr', previous_mrr
    ) as facts
from renewed
order by as_of asc, account_id asc, entity asc, renewal_date asc
