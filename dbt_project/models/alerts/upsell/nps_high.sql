select
    moments.as_of,
    responses.account_id,
    responses.response_id as entity,
    responses.score * 10 / responses.scale_max as measured,
    parameters.nps as held_against,
    jsonb_build_object(
        'user_id', responses.user_id,
        'responded_at', responses.responded_at
    ) as facts
from {{ moments() }} as moments
inner join {{ ref('stg_survey_responses') }} as responses
    on {{ is_news('responses.responded_at', 'moments.as_of') }}
inner join {{ ref('stg_accounts') }} as accounts on responses.account_id = accounts.account_id
inner join {{ alert_parameters('nps_high', {'nps': 8}) }} as parameters
    on parameters.tier = coalesce(accounts.tier, '')
where
    responses.survey = 'nps'
    and responses.score * 10 >= parameters.nps * responses.scale_max
    and {{ was_known('responses._loaded_at', 'responses.responded_at', 'moments.as_of') }}
