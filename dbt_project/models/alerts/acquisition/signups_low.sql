with

asked as (

    select
        moments.as_of,
        parameters.signups,
        parameters.minutes,
        moments.as_of - make_interval(secs => 60 * parameters.minutes) as since
    from {{ moments() }} as moments
    inner join {{ alert_parameters('signups_low', {'signups': 10, 'minutes': 60}) }} as parameters
        on parameters.tier = ''

),

-- Lateral, so that of every moment only its own minutes are read.
by_source as (

    select
        asked.as_of,
        asked.since,
        asked.minutes,
        asked.signups as held_against,
        sources.source,
        sources.signups
    from asked
    left join lateral (
        select
            coalesce(signups.source, 'unknown') as source,
            count(*) as signups
        from {{ ref('stg_signups') }} as signups
        where
            signups.created_at > asked.since
            and signups.created_at <= asked.as_of
            and {{ was_known('signups._loaded_at', 'signups.created_at', 'asked.as_of') }}
        group by coalesce(signups.source, 'unknown')
    ) as sources on true

),

counted as (

    select
        as_of,
        since,
        minutes,
        held_against,
        coalesce(sum(signups), 0) as signups,
        coalesce(
            jsonb_agg(jsonb_build_object('source', source, 'signups', signups) order by signups desc, source asc)
            filter (where source is not null),
            '[]'
        ) as sources
    from by_source
    group by as_of, since, minutes, held_against

)

-- Where no sign-up was ever known, there is nothing that could be low.
select
    as_of,
    '' as account_id,
    'signups_low' as entity,
    cast(signups as double precision) as measured,
    held_against,
    jsonb_build_object('minutes', minutes, 'rows', sources) as facts
from counted
where
    signups < held_against
    and exists (
        select 1
        from {{ ref('stg_signups') }} as earlier
        where
            earlier.created_at <= counted.since
            and {{ was_known('earlier._loaded_at', 'earlier.created_at', 'counted.as_of') }}
    )
