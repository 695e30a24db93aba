with

asked as (

    select
        moments.as_of,
        parameters.share,
        parameters.days,
        parameters.answers,
        moments.as_of - make_interval(secs => 86400 * parameters.days) as since
    from {{ moments() }} as moments
    inner join {{ alert_parameters('csat_low', {'share': 0.5, 'days': 30, 'answers': 5}) }} as parameters
        on parameters.tier = ''

),

-- Customers answer when their ticket is resolved.
answers as (

    select
        asked.as_of,
        asked.share,
        asked.days,
        asked.answers,
        tickets.ticket_id,
        tickets.account_id,
        tickets.csat,
        tickets.csat_scale,
        tickets.resolved_at,
        cast(tickets.csat as numeric) / cast(tickets.csat_scale as numeric) as satisfaction
    from asked
    inner join {{ ref('stg_tickets') }} as tickets
        on
            asked.since < tickets.resolved_at
            and asked.as_of >= tickets.resolved_at
    where
        tickets.csat is not null
        and tickets.csat_scale > 0
        and {{ is_around_moments('tickets.resolved_at', '(select max(asked.days) from asked)') }}
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}

),

low as (

    select
        as_of,
        share,
        days,
        avg(satisfaction) as satisfaction,
        count(*) as given
    from answers
    group by as_of, share, days, answers
    having
        count(*) >= answers
        and avg(satisfaction) < cast(share as numeric)

),

ranked as (

    select
        answers.*,
        row_number() over (
            partition by answers.as_of
            order by answers.satisfaction asc, answers.resolved_at desc, answers.ticket_id asc
        ) as nth
    from answers
    inner join low on answers.as_of = low.as_of

),

worst as (

    select
        ranked.as_of,
        jsonb_agg(
            jsonb_build_object(
                'ticket', ranked.ticket_id,
                'account', coalesce(accounts.account_name, ranked.account_id),
                'csat', ranked.csat,
                'of', ranked.csat_scale,
                'resolved_on', {{ utc_day('ranked.resolved_at') }}
            )
            order by ranked.nth
        ) as tickets
    from ranked
    left join {{ ref('stg_accounts') }} as accounts on ranked.account_id = accounts.account_id
    where ranked.nth <= {{ shown_rows() }}
    group by ranked.as_of

)

select
    low.as_of,
    '' as account_id,
    'csat_low' as entity,
    cast(low.satisfaction as double precision) as measured,
    low.share as held_against,
    jsonb_build_object('days', low.days, 'answers', low.given, 'rows', worst.tickets) as facts
from low
inner join worst on low.as_of = worst.as_of
