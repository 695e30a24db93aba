select
    moments.as_of,
    integrations.account_id,
    integrations.integration_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object(
        'integration', integrations.integration_name,
        'disconnected_at', integrations.disconnected_at
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_integrations') }} as integrations
    on {{ is_news('integrations.disconnected_at', 'moments.as_of') }}
where
    {{ was_known('integrations._loaded_at', 'integrations.connected_at', 'moments.as_of') }}
