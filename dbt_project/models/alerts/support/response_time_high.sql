with

asked as (

    select
        moments.as_of,
        parameters.hours,
        parameters.days,
        moments.as_of - make_interval(secs => 86400 * parameters.days) as since
    from {{ moments() }} as moments
    inner join {{ alert_parameters('response_time_high', {'hours': 24, 'days': 30}) }} as parameters
        on parameters.tier = ''

),

-- A ticket that nobody has answered yet waits as long as it is open.
waits as (

    select
        asked.as_of,
        asked.hours,
        asked.days,
        tickets.ticket_id,
        tickets.account_id,
        tickets.priority,
        coalesce(tickets.first_responded_at <= asked.as_of, false) as is_answered,
        extract(epoch from least(
            tickets.first_responded_at, tickets.resolved_at, asked.as_of
        ) - tickets.created_at) / 3600 as hours_waited
    from asked
    inner join {{ ref('stg_tickets') }} as tickets
        on
            asked.since < tickets.created_at
            and asked.as_of >= tickets.created_at
    where
        {{ is_around_moments('tickets.created_at', '(select max(asked.days) from asked)') }}
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}

),

slow as (

    select
        as_of,
        hours,
        days,
        avg(hours_waited) as hours_waited,
        count(*) as tickets,
        count(*) filter (where not is_answered) as unanswered
    from waits
    group by as_of, hours, days
    having avg(hours_waited) > hours

),

ranked as (

    select
        waits.*,
        row_number() over (partition by waits.as_of order by waits.hours_waited desc, waits.ticket_id asc) as nth
    from waits
    inner join slow on waits.as_of = slow.as_of

),

longest as (

    select
        ranked.as_of,
        jsonb_agg(
            jsonb_build_object(
                'ticket', ranked.ticket_id,
                'account', coalesce(accounts.account_name, ranked.account_id),
                'priority', ranked.priority,
                'hours', round(ranked.hours_waited, 1),
                'answered', ranked.is_answered
            )
            order by ranked.nth
        ) as tickets
    from ranked
    left join {{ ref('stg_accounts') }} as accounts on ranked.account_id = accounts.account_id
    where ranked.nth <= {{ shown_rows() }}
    group by ranked.as_of

)

select
    slow.as_of,
    '' as account_id,
    'response_time_high' as entity,
    cast(slow.hours_waited as double precision) as measured,
    slow.hours as held_against,
    jsonb_build_object(
        'days', slow.days,
        'tickets', slow.tickets,
        'unanswered', slow.unanswered,
        'rows', longest.tickets
    ) as facts
from slow
inner join longest on slow.as_of = longest.as_of
