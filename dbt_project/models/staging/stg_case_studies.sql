select
    case_study_id,
    account_id,
    title,
    agreed_at,
    published_at,
    _loaded_at,
    _load_id
from {{ source_or_absent('case_studies') }}
