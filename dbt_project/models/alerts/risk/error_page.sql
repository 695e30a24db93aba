{{ page_events(
    moments(),
    alert_parameters('error_page', {'pages': ['error']}),
    'page_view'
) }}
