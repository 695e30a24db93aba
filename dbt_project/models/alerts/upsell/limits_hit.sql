with

asked as (

    select
        moments.as_of,
        parameters.*
    from {{ moments() }} as moments
    cross join {{ alert_parameters(
        'limits_hit', {'share': 0.9, 'api_calls': 0, 'campaigns': 0, 'automations': 0, 'features': 0}
    ) }} as parameters

),

limits as (

    {%- for name, used, allowed in [
        ('seats', 'active_users_30d', 'account_weeks.seats'),
        ('api_calls', 'api_calls_30d', 'asked.api_calls'),
        ('campaigns', 'campaigns_sent_30d', 'asked.campaigns'),
        ('automations', 'active_automations', 'asked.automations'),
        ('features', 'features_used_30d', 'asked.features'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        asked.as_of,
        asked.share,
        account_weeks.account_id,
        account_weeks.plan,
        '{{ name }}' as plan_limit,
        account_weeks.{{ used }} as used,
        cast({{ allowed }} as double precision) as allowed
    from asked
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on
            {{ is_last_week('account_weeks.week', 'asked.as_of') }}
            and asked.tier = coalesce(account_weeks.tier, '')
    {%- endfor %}

)

select
    as_of,
    account_id,
    plan_limit as entity,
    used / allowed as measured,
    share as held_against,
    jsonb_build_object('used', used, 'allowed', allowed, 'plan', plan) as facts
from limits
where
    allowed > 0
    and used >= share * allowed
