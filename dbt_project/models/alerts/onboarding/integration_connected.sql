select
    moments.as_of,
    integrations.account_id,
    integrations.integration_id as entity,
    cast(null as double precision) as measured,
    cast(null as double precision) as held_against,
    jsonb_build_object(
        'integration', integrations.integration_name,
        'connected_at', integrations.connected_at
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_integrations') }} as integrations on {{ is_news('integrations.connected_at', 'moments.as_of') }}
inner join {{ ref('stg_accounts') }} as accounts on integrations.account_id = accounts.account_id
where
    {{ is_around_moments('integrations.connected_at', days_of_news()) }}
    and coalesce(integrations.disconnected_at > moments.as_of, true)
    and {{ was_known('integrations._loaded_at', 'integrations.connected_at', 'moments.as_of') }}
    and {{ is_customer('accounts', 'moments.as_of') }}
