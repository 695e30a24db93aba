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
inner join {{ ref('stg_accounts') }} as accounts on statements.account_id = accounts.account_id
inner join {{ alert_parameters(
    'legal_question', {
        'phrases': ['legal', 'lawyer', 'lawyers', 'attorney', 'breach of contract', 'contract dispute', 'terms of the contract', 'liability', 'indemnity', 'gdpr', 'data protection', 'compliance', 'data processing agreement', 'datenschutz', 'rechtsanwalt', 'vertragsverletzung']
    }
) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    {{ mentions('statements.words', 'parameters.phrases') }}
    and {{ is_around_moments('statements.said_at', days_of_news()) }}
    and {{ was_known('statements._loaded_at', 'statements.said_at', 'moments.as_of') }}
