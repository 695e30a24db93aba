-- The kinds of events are the features. Core is what the product is bought for: finding and working leads, and winning
-- deals. `users` and the two values are measures of the simulator, never events.
select
    event_type_name as feature,
    initcap(replace(event_type_name, '_', ' ')) as feature_name,
    event_type_name in (
        'search', 'add_lead', 'email_lead', 'call_lead', 'create_opportunity', 'quote', 'win_opportunity', 'meeting'
    ) as is_core,
    event_type_name = 'create_opportunity' as is_critical
from landing.event_type
where event_type_name not in ('users', 'win_opportunity_value', 'lose_opportunity_value')
