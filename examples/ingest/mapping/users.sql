select
    id::text as user_id,
    company_id::text as account_id,
    email,
    name as full_name,
    invited_at as created_at
from landing_shop.people
