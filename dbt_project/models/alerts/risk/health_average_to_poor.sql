select
    moments.as_of,
    changes.account_id,
    cast(changes.week as text) as entity,
    changes.to_score as measured,
    changes.from_score as held_against,
    jsonb_build_object('from_score', changes.from_score, 'to_score', changes.to_score, 'cause', changes.cause) as facts
from {{ moments() }} as moments
inner join {{ source('cs', 'score_changes') }} as changes
    on
        changes.week <= {{ last_week_before('moments.as_of') }}
        and changes.week > {{ last_week_before('moments.as_of') }} - 14 - {{ days_of_news() }}
where
    changes.from_severity between 1 and 2
    and changes.to_severity = 3
    and changes.cause != 'model_version'
    -- A score that is held because its sources are stale says nothing new.
    and not exists (
        select 1
        from {{ source('cs', 'health_scores') }} as scores
        where
            scores.account_id = changes.account_id
            and scores.week = changes.week
            and scores.is_active
            and scores.status = 'held'
    )
