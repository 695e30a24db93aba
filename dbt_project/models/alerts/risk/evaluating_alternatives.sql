{{ statements_that_mention(
    moments(),
    alert_parameters('evaluating_alternatives', {'phrases': [
        'evaluating alternatives', 'evaluating options', 'looking at alternatives', 'looking at another tool',
        'looking at other tools', 'switching to', 'comparing vendors'
    ]})
) }}
