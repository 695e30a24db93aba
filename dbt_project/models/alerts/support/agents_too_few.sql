with

asked as (

    select
        moments.as_of,
        parameters.tickets_per_agent,
        parameters.minutes,
        moments.as_of - make_interval(secs => 60 * parameters.minutes) as since
    from {{ moments() }} as moments
    inner join {{ alert_parameters('agents_too_few', {'tickets_per_agent': 10, 'minutes': 60}) }} as parameters
        on parameters.tier = ''

),

-- On duty: an agent on that day. Where no agent was ever known, nothing is said.
agents as (

    select
        asked.as_of,
        count(*) filter (
            where coalesce(agents.ended_on > {{ utc_day('asked.as_of') }}, true)
        ) as on_duty
    from asked
    inner join {{ ref('stg_support_agents') }} as agents
        on
            {{ utc_day('asked.as_of') }} >= agents.started_on
            and {{ was_known('agents._loaded_at', utc_midnight('agents.started_on'), 'asked.as_of') }}
    group by asked.as_of

),

tickets as (

    select
        asked.as_of,
        tickets.priority,
        count(*) as opened
    from asked
    inner join {{ ref('stg_tickets') }} as tickets
        on
            asked.since < tickets.created_at
            and asked.as_of >= tickets.created_at
    where
        {{ is_around_moments('tickets.created_at', '(select max(asked.minutes) / 1440 from asked)') }}
        and {{ was_known('tickets._loaded_at', 'tickets.created_at', 'asked.as_of') }}
    group by asked.as_of, tickets.priority

),

by_moment as (

    select
        as_of,
        sum(opened) as opened,
        jsonb_agg(
            jsonb_build_object('priority', priority, 'tickets', opened)
            order by array_position(array['critical', 'high', 'normal', 'low'], priority)
        ) as by_priority
    from tickets
    group by as_of

)

select
    asked.as_of,
    '' as account_id,
    'agents_too_few' as entity,
    cast(by_moment.opened as double precision) as measured,
    asked.tickets_per_agent * agents.on_duty as held_against,
    jsonb_build_object(
        'minutes', asked.minutes,
        'agents_on_duty', agents.on_duty,
        'rows', by_moment.by_priority
    ) as facts
from asked
inner join agents on asked.as_of = agents.as_of
inner join by_moment on asked.as_of = by_moment.as_of
where by_moment.opened > asked.tickets_per_agent * agents.on_duty
