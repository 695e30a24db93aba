{{ page_events(
    moments(),
    alert_parameters('upgrade_click', {'pages': ['upgrade']}),
    'click'
) }}
