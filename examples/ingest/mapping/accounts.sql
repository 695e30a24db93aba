select
    id::text as account_id,
    name as account_name,
    country,
    signed_up_at as created_at,
    left_at as churned_at,
    account_manager as owner_email
from landing_shop.companies
