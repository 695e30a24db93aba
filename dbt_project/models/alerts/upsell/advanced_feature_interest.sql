{{ page_events(
    moments(),
    alert_parameters('advanced_feature_interest', {'pages': ['advanced_features', 'compare_plans']}),
    'page_view'
) }}
