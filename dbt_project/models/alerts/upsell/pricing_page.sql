{{ page_events(
    moments(),
    alert_parameters('pricing_page', {'pages': ['pricing']}),
    'page_view'
) }}
