select
    account_id,
    account_name,
    tier,
    plan,
    industry,
    country,
    timezone,
    owner_email,
    manager_email,
    executive_email,
    slack_channel,
    parent_account_id,
    is_bad_fit,
    sales_goal,
    {{ present() }} at time zone 'UTC' as seen_at
from {{ ref('stg_accounts') }}
