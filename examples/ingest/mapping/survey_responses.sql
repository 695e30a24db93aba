-- Who answered is found by the address.
select
    'nps-' || id as response_id,
    null::text as account_id,
    'nps' as survey,
    score::text as score,
    10 as scale_max,
    answered_at as responded_at,
    nullif(comment, '') as comment,
    email as _email,
    to_timestamp(_dlt_load_id::double precision) as _changed_at
from landing_surveys.answers
