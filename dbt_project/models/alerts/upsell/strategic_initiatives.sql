{{ statements_that_mention(
    moments(),
    alert_parameters('strategic_initiatives', {'phrases': [
        'strategic initiative', 'strategy', 'new market', 'expansion', 'roll out', 'rollout', 'reorganisation',
        'merger', 'acquisition'
    ]})
) }}
