{{ statements_lately(moments()) }}
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
