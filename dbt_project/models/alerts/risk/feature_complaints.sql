select
    moments.as_of,
    statements.account_id,
    statements.said_in || ':' || statements.source_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object(
        'said_in', statements.said_in,
        'said_at', statements.said_at,
        'words', left(statements.words, 500)
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('int_customer_statements') }} as statements
    on {{ is_news('statements.said_at', 'moments.as_of') }}
where
    statements.said_in = 'feedback'
    and (
        statements.kind = 'bug'
        or (
            statements.kind = 'complaint'
            and exists (
                select 1
                from {{ ref('stg_features') }} as features
                where {{ mentions('statements.words', 'array[features.feature, features.feature_name]') }}
            )
        )
    )
    and {{ is_around_moments('statements.said_at', days_of_news()) }}
    and {{ was_known('statements._loaded_at', 'statements.said_at', 'moments.as_of') }}
