with

asked as (

    select
        moments.as_of,
        {{ last_week_before('moments.as_of') }} as week,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters('poor_30d', {'days': 30, 'severity': 3}) }} as parameters

),

-- Weeks without a score do not end a stretch of poor ones.
stretches as (

    select
        asked.as_of,
        asked.days,
        asked.week,
        scores.account_id,
        scores.score,
        coalesce(
            (
                select max(earlier.week)
                from {{ source('cs', 'health_scores') }} as earlier
                where
                    earlier.account_id = scores.account_id
                    and earlier.week < asked.week
                    and earlier.is_active
                    and earlier.severity < asked.severity
            ),
            '-infinity'
        ) as last_better_week
    from asked
    inner join {{ source('cs', 'health_scores') }} as scores
        on
            asked.week = scores.week
            and {{ in_weeks_asked('scores.week') }}
            and asked.severity <= scores.severity
            and scores.is_active
    inner join {{ ref('int_accounts_over_time') }} as accounts
        on
            scores.account_id = accounts.account_id
            and asked.tier = coalesce(accounts.tier, '')
            and {{ held_at('accounts', 'asked.as_of') }}

),

poor as (

    select
        stretches.as_of,
        stretches.account_id,
        stretches.days,
        stretches.score,
        (
            select min(scores.week)
            from {{ source('cs', 'health_scores') }} as scores
            where
                scores.account_id = stretches.account_id
                and scores.week > stretches.last_better_week
                and scores.is_active
                and scores.severity is not null
        ) as first_poor_week,
        stretches.week
    from stretches

)

select
    as_of,
    account_id,
    account_id as entity,
    cast(week - first_poor_week as double precision) as measured,
    days as held_against,
    jsonb_build_object('score', score, 'poor_since', first_poor_week + 7) as facts
from poor
where week - first_poor_week > days
